// What is done to containers of containerd: to their tasks, that is.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>

#include "engines/containerd/containerd_client.h"
#include "engines/containerd/messages.h"
#include "engines/engine_control.h"
#include "engines/grpc/connection.h"

namespace shorewatch::containerd {

class ContainerdClient::Control final : public EngineControl {
  public:
    // owner has it.
    explicit Control(ContainerdClient& owner) : owner_(owner) {}

    void pause(const std::string& id, Done reply) override;
    void unpause(const std::string& id, Done reply) override;
    void stop(const std::string& id, std::chrono::seconds timeout, Done reply) override;
    void kill(const std::string& id, int signal, Done reply) override;
    void inspect_json(const std::string& id, TextReply reply) override;

  private:
    // Of a container that can be asked for now.
    struct Place {
        Session& session;
        Identifier identifier;
    };
    // Nothing: reply will be called with the reason.
    [[nodiscard]] std::optional<Place> place_of(const std::string& id, const std::string& purpose,
                                                std::function<void(EngineError)> reply);
    // method: of the tasks service, one whose good answer is an empty one.
    static void act(const Place& place, const char* method, std::string message, const std::string& purpose,
                    Done reply);

    ContainerdClient& owner_;
};

// The error in a failed answer, by what containerd, which has one code for many things, says in words.
[[nodiscard]] EngineError control_error(const grpc::Answer& answer);

}  // namespace shorewatch::containerd
