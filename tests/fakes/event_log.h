// What dockerd remembers of its events, and what a client asks to be told of them.
#pragma once

#include <deque>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "tests/fakes/docker_model.h"

namespace shorewatch::fakes {

// The values of one kind of filter in a filters= parameter: {"status":["running"]} or
// {"status":{"running":true}}. Empty when there are none; throws std::invalid_argument for what is neither
// empty nor a JSON object.
[[nodiscard]] std::set<std::string> filter_values(const std::string& json, const char* kind);

// filters= of /events, by type and event; the others are of no use to a watcher, and ignored.
class EventFilter {
  public:
    [[nodiscard]] static EventFilter parse(const std::string& json);
    [[nodiscard]] bool takes(const DockerEvent& event) const;

  private:
    // Empty: all.
    std::set<std::string> types_;
    std::set<std::string> actions_;
};

// since= of /events: seconds with up to nine decimals, or RFC 3339. Throws std::invalid_argument.
[[nodiscard]] RealTime parse_since(std::string_view text);

class EventLog {
  public:
    static constexpr std::size_t capacity = 256;

    void add(DockerEvent event);
    void clear() { events_.clear(); }
    // From the newest back to the first that is older than since: where stamps jump back, what lies behind is
    // lost, as in dockerd.
    [[nodiscard]] std::vector<DockerEvent> replay(RealTime since) const;

  private:
    std::deque<DockerEvent> events_;
};

}  // namespace shorewatch::fakes
