// What a test makes a fake engine do with requests.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>

#include "tests/fakes/gate.h"
#include "tests/fakes/http_response.h"
#include "tests/fakes/http_server.h"

namespace shorewatch::fakes {

// control: a POST that does something to a container.
enum class Request { ping, version, info, events, list, inspect, control, other };

// All that is not said stays as dockerd does it. Of several behaviours that fit a request, the one said last
// counts.
struct Behaviour {
    // Which requests of the kind: of this container only (by full id; inspects and control), and only the nth
    // that fits, counted from 1 since the behaviour was said; 0: every one.
    std::string container = {};
    unsigned nth = 0;

    // Called on the engine's thread, where they may use the engine, but must not wait: before and after the
    // answer is computed. For events that is the moment from which the stream tells what happens; the head is
    // sent before, as dockerd does, so that `before` sees a client that believes its stream open.
    std::function<void()> before = {};
    std::function<void()> after = {};

    // The request waits here: before anything is done, before the answer is computed, before it is sent. The
    // first two are one and the same but for events (see above); an event stream that waits to be sent keeps
    // all its events.
    std::optional<Gate> hold_request = {};
    std::optional<Gate> hold = {};
    std::optional<Gate> hold_answer = {};

    // Nothing is ever sent, and the connection stays.
    bool never_answer = false;
    // These bytes in place of the whole response, head and all; then the connection is closed.
    std::optional<std::string> raw = {};
    // An error in dockerd's words: {"message":…}.
    std::optional<int> status = {};
    std::string message = {};
    // Another body, and what is made of whichever body there is. Not for events.
    std::optional<std::string> body = {};
    std::function<std::string(std::string)> edit = {};
    Framing framing = Framing::as_dockerd;
    Delivery delivery = {};
};

}  // namespace shorewatch::fakes
