#include "daemon/control_desk.h"

#include <optional>
#include <utility>

#include "engines/error_text.h"

namespace shorewatch {

namespace {

using Kind = EngineError::Kind;

struct Verb {
    const char* operator()(const ControlRequest::Pause&) const { return "pause"; }
    const char* operator()(const ControlRequest::Unpause&) const { return "unpause"; }
    const char* operator()(const ControlRequest::Stop&) const { return "stop"; }
    const char* operator()(const ControlRequest::Kill&) const { return "kill"; }
    const char* operator()(const ControlRequest::Inspect&) const { return "inspect"; }
};

// Asks control for an action.
struct Asker {
    EngineControl& control;
    const std::string& id;
    const ControlReply& reply;

    void operator()(const ControlRequest::Pause&) const { control.pause(id, done()); }
    void operator()(const ControlRequest::Unpause&) const { control.unpause(id, done()); }
    void operator()(const ControlRequest::Stop& stop) const { control.stop(id, stop.timeout, done()); }
    void operator()(const ControlRequest::Kill& kill) const { control.kill(id, kill.signal, done()); }
    void operator()(const ControlRequest::Inspect&) const { control.inspect_json(id, reply); }

    [[nodiscard]] EngineControl::Done done() const {
        return [call = reply](std::optional<EngineError> error) {
            error ? call(std::move(*error)) : call(std::string{});
        };
    }
};

}  // namespace

ControlDesk::~ControlDesk() {
    try {
        answer_all("this engine is no longer watched");
    } catch (...) {
        // Out of memory: they stay without an answer.
    }
}

void ControlDesk::take(EngineControl& control, const ControlRequest& request, ControlReply reply) {
    std::string purpose = doing(std::visit(Verb{}, request.action), request.container);
    if (pending_.size() >= most_pending) {
        return reply(make_error(Kind::busy, purpose, endpoint_,
                                std::to_string(most_pending) +
                                    " requests are waiting for this engine already; try again when it has "
                                    "answered, or ask it yourself why it doesn't"));
    }
    const std::uint64_t number = next_++;
    pending_.emplace(number, Pending{std::move(purpose), std::move(reply)});
    const ControlReply answer = [this, number](Result<std::string> result) {
        give(number, std::move(result));
    };
    std::visit(Asker{control, request.container, answer}, request.action);
}

void ControlDesk::give(std::uint64_t number, Result<std::string> answer) {
    const auto ended = pending_.extract(number);
    if (!ended.empty()) ended.mapped().reply(std::move(answer));
}

void ControlDesk::lose(const EngineError& error) {
    answer_all("the connection was lost before it answered, and it may have been done all the same: " +
               error.message);
}

void ControlDesk::answer_all(const std::string& cause) {
    for (auto& [number, waiting] : std::exchange(pending_, {})) {
        waiting.reply(make_error(Kind::unreachable, waiting.purpose, endpoint_, cause));
    }
}

}  // namespace shorewatch
