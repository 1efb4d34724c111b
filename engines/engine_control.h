// EngineControl: what can be done to a container of an engine, and the engine's own word on it.
//
// As an EngineClient, whose part it is: on the loop's thread only, nothing blocks, and answers come as
// callbacks on the loop, never from within the call that asked. Each has a deadline, and comes when the
// engine has done what was asked. What follows from it is told by the event stream, as if anyone else had
// done it.
//
// Calls need the stream to be open, and end with it, unanswered, as list() and inspect() do. Whoever has
// promised an answer gives it when the stream ends (daemon/control_desk.h).
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "engines/endpoint.h"
#include "engines/result.h"

namespace shorewatch {

class EngineControl {
  public:
    // Nothing: it is done.
    using Done = std::function<void(std::optional<EngineError>)>;
    using TextReply = std::function<void(Result<std::string>)>;

    // So many are under way at the same time, whatever else this engine is asked; more may have to wait for
    // them.
    static constexpr std::size_t most_at_a_time = 64;
    // The longest that stop() waits before it kills.
    static constexpr std::chrono::seconds longest_timeout = std::chrono::hours(24);
    // Of what inspect_json() answers, in bytes: it has to fit into a message on a bus.
    static constexpr std::size_t longest_inspection = std::size_t{16} * 1024 * 1024;

    virtual ~EngineControl() = default;
    EngineControl(const EngineControl&) = delete;
    EngineControl& operator=(const EngineControl&) = delete;

    // Each takes a container's full id, and fails with not_found where there is none, with not_alive where it
    // has no initial process, and with not_supported where the engine has nothing like it.

    // Freezes it. conflict: it is frozen already.
    virtual void pause(const std::string& id, Done reply) = 0;
    // conflict: it is not frozen.
    virtual void unpause(const std::string& id, Done reply) = 0;
    // Sends its stop signal, waits for the end of its initial process, and kills it when that has not come
    // after timeout; 0: kills it at once. Done when it has ended. invalid: timeout is negative or beyond
    // longest_timeout.
    virtual void stop(const std::string& id, std::chrono::seconds timeout, Done reply) = 0;
    // Sends its initial process a signal, 1 to 64; invalid for others. Done when it is sent, not when it
    // ends.
    virtual void kill(const std::string& id, int signal, Done reply) = 0;
    // What the engine has to say of it, alive or dead: a JSON object of the engine's own making, as it came;
    // valid UTF-8, but for what valid_utf8() replaces.
    virtual void inspect_json(const std::string& id, TextReply reply) = 0;

  protected:
    EngineControl() = default;
};

// Why no engine is asked to send this signal or to wait that long; nothing: it may be.
[[nodiscard]] std::optional<std::string> why_no_signal(int signal);
[[nodiscard]] std::optional<std::string> why_no_timeout(std::chrono::seconds timeout);

// An inspection's text as it may be answered: made valid; an error if it is too long. purpose as make_error
// takes it.
[[nodiscard]] Result<std::string> answerable(std::string_view json, std::string_view purpose,
                                             const Endpoint& endpoint);

// How containers are called in a purpose: "stop container 0123456789ab", for ids of 64 digits as docker and
// podman show them; enough to be found, and a line that can be read.
[[nodiscard]] std::string doing(std::string_view what, const std::string& id);

}  // namespace shorewatch
