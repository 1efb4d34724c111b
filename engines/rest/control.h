// What is done to containers of an engine with a REST API.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "engines/engine_control.h"
#include "engines/rest/client.h"

namespace shorewatch::rest {

class Client::Control final : public EngineControl {
  public:
    // owner has it.
    explicit Control(Client& owner) : owner_(owner) {}

    void pause(const std::string& id, Done reply) override;
    void unpause(const std::string& id, Done reply) override;
    void stop(const std::string& id, std::chrono::seconds timeout, Done reply) override;
    void kill(const std::string& id, int signal, Done reply) override;
    void inspect_json(const std::string& id, TextReply reply) override;

  private:
    // POSTs to the container's path and "/" and action, which is the verb of the purpose too.
    void act(const std::string& id, std::string_view action, const std::string& query,
             std::chrono::milliseconds deadline, Done reply);
    [[nodiscard]] Result<std::string> checked(const std::string& id, Result<http::Response> result);

    Client& owner_;
};

// What an answer to such a POST comes to; nothing: it is done. Docker and Podman have a status for what is
// not there and for what is stopped, but tell most of why they can't in words only.
[[nodiscard]] std::optional<EngineError> control_error(std::string_view purpose, const Endpoint& endpoint,
                                                       int status, std::string_view body);

}  // namespace shorewatch::rest
