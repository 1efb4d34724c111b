// What is the same in all clients: there is one session at a time, from lifecycle_events() to the end of its
// stream, and who asks without one is told so.
#pragma once

#include <functional>
#include <memory>
#include <stdexcept>
#include <string_view>
#include <utility>

#include "engines/endpoint.h"
#include "engines/error_text.h"
#include "engines/result.h"
#include "engines/support/event_loop.h"

namespace shorewatch {

// Session: with start(), is_open() and end(), after which it calls nobody back.
template <typename Session>
class SessionHolder {
  public:
    SessionHolder(EventLoop& loop, Endpoint endpoint) : loop_(loop), endpoint_(std::move(endpoint)) {}
    SessionHolder(const SessionHolder&) = delete;
    SessionHolder& operator=(const SessionHolder&) = delete;
    ~SessionHolder() { end(); }

    // Starts it. Throws std::logic_error when there is one already.
    void begin(std::shared_ptr<Session> session) {
        if (session_) throw std::logic_error("an event stream of " + endpoint_.url() + " is open already");
        session_ = std::move(session);
        session_->start();
    }

    // Refusals that were not given yet are given up too.
    void end() {
        refusals_ = std::make_shared<int>();
        if (const auto session = std::exchange(session_, nullptr)) session->end();
    }

    // Null unless its stream stands.
    [[nodiscard]] Session* open() const { return session_ && session_->is_open() ? session_.get() : nullptr; }

    // Has reply called with an error, from the loop: "cannot PURPOSE at URL: CAUSE".
    void refuse(EngineError::Kind kind, std::string_view purpose, std::string_view cause,
                std::function<void(EngineError)> reply) {
        loop_.post([alive = std::weak_ptr(refusals_), call = std::move(reply),
                    error = make_error(kind, purpose, endpoint_, cause)] {
            if (!alive.expired()) call(error);
        });
    }

    void refuse_without_session(std::string_view purpose, std::function<void(EngineError)> reply) {
        refuse(EngineError::Kind::unreachable, purpose, "there is no connection to it", std::move(reply));
    }

  private:
    EventLoop& loop_;
    Endpoint endpoint_;
    std::shared_ptr<Session> session_;
    std::shared_ptr<int> refusals_ = std::make_shared<int>();
};

}  // namespace shorewatch
