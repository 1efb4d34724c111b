// What `watch` and `monitor` have in common: which events, and in which form.
#pragma once

#include "dbus/ctl/commands/commands.h"
#include "dbus/ctl/ending_signals.h"
#include "dbus/ctl/watch_feed.h"
#include "engines/support/event_loop.h"

namespace shorewatch::ctl {

struct WatchOptions {
    WatchFilter filter;
    std::vector<std::string> events;  // empty: all
    bool since_sync = false;
    bool json = false;

    [[nodiscard]] bool wants(WatchEvent::Kind kind) const;
};

// options outlives app.
void add_watch_options(CLI::App& command, WatchOptions& options);

// A line on the standard output for each event, until a signal ends it or its reader has gone. Throws
// CommandError.
void show_events(const Session& session, const WatchOptions& options);

// Calls take for each event, until loop is stopped. Throws CommandError.
void follow_events(EventLoop& loop, sdbus::IConnection& connection, BusKind bus, const WatchOptions& options,
                   const EndingSignals& ending, const WatchFeed::Show& take);

}  // namespace shorewatch::ctl
