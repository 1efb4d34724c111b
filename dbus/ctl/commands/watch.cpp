// watch: a line for each thing that happens, until it is interrupted or nobody reads it any more.
#include <algorithm>
#include <csignal>

#include "dbus/ctl/bus_loop.h"
#include "dbus/ctl/commands/watch_options.h"
#include "dbus/ctl/json_out.h"
#include "dbus/ctl/output.h"
#include "dbus/ctl/watch_source.h"

namespace shorewatch::ctl {

bool WatchOptions::wants(WatchEvent::Kind kind) const {
    return events.empty() || std::find(events.begin(), events.end(), event_name(kind)) != events.end();
}

void add_watch_options(CLI::App& command, WatchOptions& options) {
    command.add_option("-e,--engine", options.filter.engine, "Only of this engine")->type_name("ENGINE");
    command.add_option("-p,--project", options.filter.project, "Only of this project; '' for those of none")
        ->type_name("PROJECT");
    command.add_option("-n,--name", options.filter.name, "Only with exactly this name")->type_name("NAME");
    command
        .add_option("--event", options.events, "Only events of this kind; may be given again, for several")
        ->type_name("EVENT")
        ->check(CLI::IsMember(event_names()))
        ->allow_extra_args(false);
    command.add_flag(
        "--since-sync", options.since_sync,
        "First the containers that are there, then what happens from then on: no gap, no repeat");
    command.add_flag("--json", options.json, "An object a line, with all that the D-Bus signal says");
}

void follow_events(EventLoop& loop, sdbus::IConnection& connection, BusKind bus, const WatchOptions& options,
                   const EndingSignals& ending, const WatchFeed::Show& take) {
    WatchFeed feed(options.filter, options.since_sync, [&](const WatchEvent& event) {
        if (options.wants(event.kind)) take(event);
    });
    ContainerFilter list_filter;
    list_filter.engine = options.filter.engine;
    list_filter.project = options.filter.project;
    const WatchSource source(loop, connection, bus, list_filter, feed);
    serve(loop, connection, ending, "watch the containers", bus);
    source.rethrow_failure();
}

void show_events(const Session& session, const WatchOptions& options) {
    const BusChoice bus = session.bus();
    const Style style = session.style();
    const auto connection = open_bus(bus);
    (void)std::signal(SIGPIPE, SIG_IGN);
    EventLoop loop;
    const EndingSignals ending(loop);
    std::optional<CommandError> output_error;
    LineOutput output(loop, STDOUT_FILENO, [&](std::optional<CommandError> error) {
        output_error = std::move(error);
        loop.stop();
    });
    follow_events(loop, *connection, bus.kind, options, ending, [&](const WatchEvent& event) {
        output.write(options.json ? to_json(event) : event_text(event, style));
    });
    if (output_error) throw CommandError(*output_error);
}

void add_watch_command(CLI::App& app, const Session& session) {
    const auto options = std::make_shared<WatchOptions>();
    CLI::App* const command =
        app.add_subcommand("watch", "Show what happens to containers, a line each, as it does");
    add_watch_options(*command, *options);
    command->footer(
        "Waits for the daemon when it is not there, and says so when it goes and comes back; with "
        "--since-sync the\n"
        "containers are then listed again. Times are local, with their date unless on a terminal. Ends with "
        "0 on\n"
        "SIGINT and SIGTERM, and when its output is closed.\n"
        "In JSON, \"event\" is one of started, exited, paused, unpaused, renamed, engine-state; with "
        "--since-sync also\n"
        "present and synchronized; and daemon-awaited, daemon-up, daemon-down. \"ran\" of exited is in "
        "microseconds.\n"
        "Examples:\n"
        "  shorewatchctl watch\n"
        "  shorewatchctl watch --since-sync --project shop\n"
        "  shorewatchctl watch --event started --event exited\n"
        "  shorewatchctl watch --json | jq -r 'select(.event == \"exited\" and .details.ExitCode > 0) | "
        ".name'");
    command->callback([options, &session] { show_events(session, *options); });
}

}  // namespace shorewatch::ctl
