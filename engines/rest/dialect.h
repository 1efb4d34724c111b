// What a container engine with a REST API has of its own: the paths, and what the answers mean. Connecting,
// asking and following are the same for all of them (client.h).
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engines/engine_client.h"
#include "engines/engine_deployment.h"
#include "engines/http/http_client.h"
#include "engines/result.h"
#include "engines/support/timestamp.h"

namespace shorewatch::rest {

// How long to wait and how much to take. The defaults are for real engines.
struct Options {
    std::chrono::milliseconds connect_deadline = std::chrono::seconds(10);  // of the event stream
    std::chrono::milliseconds head_deadline = std::chrono::seconds(20);     // until the event stream stands
    // Not 0: an event stream whose head has not come this long after it was asked for stands all the same,
    // since this engine may send the head with the first event. Only for engines whose streams replay from
    // `since`.
    std::chrono::milliseconds late_head{0};
    // An engine that starts accepts connections before it answers.
    std::chrono::milliseconds ping_deadline = std::chrono::seconds(10);
    std::chrono::milliseconds info_deadline = std::chrono::seconds(10);
    std::chrono::milliseconds list_deadline = std::chrono::seconds(30);
    std::chrono::milliseconds inspect_deadline =
        std::chrono::seconds(10);  // from its sending, not while in line
    std::size_t parallel = 8;      // requests at a time; at least 1
    // What is done to containers, beside these. Engines take their time: dockerd waits 10 s for the end of
    // what it has killed, and then tries again.
    std::chrono::milliseconds control_deadline = std::chrono::seconds(30);
    // Beyond the time that a container is given to stop.
    std::chrono::milliseconds stop_margin = std::chrono::seconds(30);
    // Of making, starting and removing: until nobody can be waiting any more.
    std::chrono::milliseconds work_deadline = std::chrono::minutes(10);
    std::chrono::milliseconds pull_deadline = std::chrono::hours(3);
    // In bytes.
    std::size_t list_limit = std::size_t{64} * 1024 * 1024;
    std::size_t inspect_limit = std::size_t{24} * 1024 * 1024;
    std::size_t event_limit = std::size_t{4} * 1024 * 1024;
};

// What the answer to the first request says.
struct Greeting {
    std::string prefix;             // of the paths of all other requests: "/v1.41"
    std::optional<RealTime> clock;  // the engine's as it answered, if told
    // Not empty: why this engine can't be watched; and prefix means nothing.
    std::string refusal;
    EngineError::Kind refusal_kind = EngineError::Kind::engine;
};

// What the engine says of itself.
struct EngineInfo {
    std::string id;
    std::string version;
    std::optional<RealTime> time;  // the engine's clock as it answered, if told
};

// One object of the event stream.
struct EventLine {
    std::optional<ContainerEvent> event;  // nothing: not about what we follow, or unusable
    // Is its time exact to the nanosecond, and so its own? Otherwise it is a whole second that events share.
    bool exact_time = true;
    // Not empty: no event but an error that the engine put into the stream, in its words.
    std::string complaint;
    // Not empty: something happened that only a list can tell more of. Completes a sentence.
    std::string gap;
    // The engine has rotated its log of events then: the stream may leave out what was written shortly
    // before, but the log still has it.
    std::optional<RealTime> rotated;
};

// The alive ones of a list.
struct ContainerList {
    std::vector<ContainerPtr> containers;
    std::size_t skipped = 0;  // entries without a usable id
};

// Used on the loop's thread. What decodes throws json::Malformed for text that is not what was asked for.
// Paths begin with a slash, are URL-encoded, and but for ping_path() are put behind the greeting's prefix.
class Dialect {
  public:
    virtual ~Dialect() = default;
    Dialect(const Dialect&) = delete;
    Dialect& operator=(const Dialect&) = delete;

    // As EngineClient::type().
    [[nodiscard]] virtual std::string_view type() const = 0;

    [[nodiscard]] virtual std::string_view ping_path() const = 0;
    // status is 200.
    [[nodiscard]] virtual Greeting decode_ping(const http::Head& head) = 0;

    [[nodiscard]] virtual std::string_view info_path() const = 0;
    [[nodiscard]] virtual EngineInfo decode_info(std::string json) = 0;

    [[nodiscard]] virtual std::string events_path(RealTime since) const = 0;
    [[nodiscard]] virtual EventLine decode_event(std::string json) = 0;

    [[nodiscard]] virtual std::string_view list_path() const = 0;
    [[nodiscard]] virtual ContainerList decode_list(std::string json) = 0;

    // Of one container: "/containers/ID". What is done to it, and its inspection, are below.
    [[nodiscard]] virtual std::string container_path(const std::string& id) const = 0;
    [[nodiscard]] virtual Inspection decode_inspection(std::string json) = 0;
    // Where to ask for what is missing in this inspection; "": nowhere, it is complete.
    [[nodiscard]] virtual std::string supplement_path(const Inspection&) { return {}; }
    // json: the answer; nothing if there is no such thing.
    virtual void supplement(Inspection&, const std::optional<std::string>& /*json*/) {}

    // The parameter of "/stop" that says for how many seconds the container is waited for.
    [[nodiscard]] virtual std::string_view stop_parameter() const = 0;

    // What a client that deploys asks for (deployment.h); most paths of it are the same below here.
    [[nodiscard]] virtual std::string_view root() const = 0;
    // POST: fetches image; the answer is a stream of JSON objects, of which one may have an "error".
    [[nodiscard]] virtual std::string pull_path(const std::string& image) const = 0;
    // POST: the query behind "/containers/create", and the body. hosts: names and addresses that the
    // container is to know, of an engine that links by address.
    [[nodiscard]] virtual std::string create_query(const ContainerPlan& plan) const = 0;
    [[nodiscard]] virtual std::string create_body(const ContainerPlan& plan,
                                                  const StringPairs& hosts) const = 0;
    // Has it no links? Then create_body() takes the addresses of those it would link to.
    [[nodiscard]] virtual bool links_by_address() const = 0;
    // Of DELETE: at once, and with its anonymous volumes.
    [[nodiscard]] virtual std::string_view removal_query() const = 0;

  protected:
    Dialect() = default;
};

}  // namespace shorewatch::rest
