// What is done to containers by way of the runtime interface: they are stopped, and inspected.
#pragma once

#include <chrono>
#include <functional>
#include <string>

#include "engines/cri/cri_client.h"
#include "engines/cri/cri_lookup.h"
#include "engines/engine_control.h"

namespace shorewatch::cri {

class CriClient::Control final : public EngineControl {
  public:
    // owner has it.
    explicit Control(CriClient& owner) : owner_(owner) {}

    void pause(const std::string& id, Done reply) override;
    void unpause(const std::string& id, Done reply) override;
    void stop(const std::string& id, std::chrono::seconds timeout, Done reply) override;
    void kill(const std::string& id, int signal, Done reply) override;
    void inspect_json(const std::string& id, TextReply reply) override;

  private:
    void refuse(const char* verb, const std::string& id, Done reply);
    // Looks whether id is of a container or a sandbox; calls refused if that can't be asked for or told.
    void find(const std::string& id, const std::string& purpose, std::function<void(EngineError)> refused,
              std::function<void(Session&, const Found&)> take);
    static void stop(Session& session, const std::string& id, std::chrono::seconds timeout,
                     const Found& found, Done reply);
    static void inspect_json(Session& session, const std::string& id, const Found& found, TextReply reply);

    CriClient& owner_;
};

}  // namespace shorewatch::cri
