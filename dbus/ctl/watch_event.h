// One thing that `watch` tells, and how a person reads it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "dbus/ctl/properties.h"
#include "dbus/ctl/terminal.h"

namespace shorewatch::ctl {

struct WatchEvent {
    enum class Kind {
        // The daemon's signals.
        started,
        exited,
        paused,
        unpaused,
        renamed,
        engine_state,
        // With --since-sync: a container that was there before, and the end of those.
        present,
        synchronized,
        // The daemon itself.
        daemon_awaited,
        daemon_up,
        daemon_down,
    };

    Kind kind = Kind::started;
    std::uint64_t received = 0;  // when it came here, µs since 1970
    // The arguments of the signal; of present, what the container's properties say.
    std::string engine;
    std::string project;
    std::string name;
    std::string id;
    std::string path;
    std::string state;           // engine_state only
    std::uint64_t sequence = 0;  // of the signal; of present and synchronized, of the list
    Properties details;          // the signal's; of present, all properties of the container
    // Found out here:
    std::optional<std::uint64_t> ran;  // exited: how long the run was, in µs, where both ends are known
    std::size_t containers = 0;        // synchronized: how many were listed
    std::string reason;                // daemon_awaited: why it is not there
};

// As JSON, scripts and --event have it: "started", "engine-state".
[[nodiscard]] std::string_view event_name(WatchEvent::Kind kind);
// All of them, in the order above.
[[nodiscard]] const std::vector<std::string>& event_names();

// One line without a newline: local time, what, which container, engine and project, details. The time is
// when it happened, where the daemon knows that; with its date where the output is no terminal.
[[nodiscard]] std::string event_text(const WatchEvent& event, const Style& style);

}  // namespace shorewatch::ctl
