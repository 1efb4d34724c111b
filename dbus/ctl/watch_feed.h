// Which events `watch` shows, and in which order: the answer of ListContainers and the signals around it,
// joined without a gap and without a repeat.
//
// After daemon_up() signals wait until the list is there, since only its sequence says which of them it
// includes.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "dbus/ctl/properties.h"
#include "dbus/ctl/watch_event.h"

namespace shorewatch::ctl {

// All that is set must match. A rename matches by either name. Changes of an engine go by engine alone: they
// concern every container on it.
struct WatchFilter {
    std::optional<std::string> engine;
    std::optional<std::string> project;
    std::optional<std::string> name;

    [[nodiscard]] bool matches(const WatchEvent& event) const;
};

class WatchFeed {
  public:
    using Show = std::function<void(const WatchEvent&)>;

    // since_sync: show what the list holds, and then only what it does not include. Otherwise the list only
    // tells when runs began, and every signal is shown.
    WatchFeed(WatchFilter filter, bool since_sync, Show show)
        : filter_(std::move(filter)), since_sync_(since_sync), show_(std::move(show)) {}

    // The daemon is not there; at the start only. reason: what came of the attempt to start it.
    void daemon_awaited(std::string reason, std::uint64_t now);
    // The daemon owns its name; a list will follow.
    void daemon_up(std::uint64_t now);
    void daemon_down(std::uint64_t now);
    void listed(std::uint64_t sequence, std::vector<ContainerInfo> containers, std::uint64_t now);
    void signal(WatchEvent event);

  private:
    void pass_on(WatchEvent event);

    WatchFilter filter_;
    bool since_sync_;
    Show show_;
    bool was_absent_ = false;  // so that its coming is news
    bool listed_ = false;
    std::vector<WatchEvent> waiting_;                            // signals, until the list is there
    std::unordered_map<std::string, std::uint64_t> started_at_;  // by object path; runs whose start is known
};

}  // namespace shorewatch::ctl
