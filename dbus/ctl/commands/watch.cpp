// watch: a line for each thing that happens, until it is interrupted or nobody reads it any more.
#include <csignal>
#include <ctime>

#include "dbus/ctl/bus_loop.h"
#include "dbus/ctl/commands/commands.h"
#include "dbus/ctl/json_out.h"
#include "dbus/ctl/output.h"
#include "dbus/ctl/watch_feed.h"
#include "dbus/ctl/watch_source.h"

namespace shorewatch::ctl {

namespace {

struct Options {
    WatchFilter filter;
    bool since_sync = false;
    bool json = false;
};

sigset_t ending_signals() {
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    return signals;
}

// Ctrl-C ends ssh too, so that a remote bus may be gone before the signal has its turn in the loop.
bool was_interrupted() {
    const sigset_t signals = ending_signals();
    const std::timespec at_once{};
    return sigtimedwait(&signals, nullptr, &at_once) > 0;
}

void run(const Session& session, const Options& options) {
    const BusChoice bus = session.bus();
    const Style style = session.style();
    const auto connection = open_bus(bus);
    const sigset_t signals = ending_signals();
    pthread_sigmask(SIG_BLOCK, &signals, nullptr);
    std::signal(SIGPIPE, SIG_IGN);

    EventLoop loop;
    const EventSource interrupted = loop.on_signal(SIGINT, [&loop] { loop.stop(); });
    const EventSource terminated = loop.on_signal(SIGTERM, [&loop] { loop.stop(); });
    std::optional<CommandError> output_error;
    LineOutput output(loop, STDOUT_FILENO, [&](std::optional<CommandError> error) {
        output_error = std::move(error);
        loop.stop();
    });
    WatchFeed feed(options.filter, options.since_sync, [&](const WatchEvent& event) {
        output.write(options.json ? to_json(event) : event_text(event, style));
    });
    ContainerFilter list_filter;
    list_filter.engine = options.filter.engine;
    list_filter.project = options.filter.project;
    const BusLoop bus_loop(loop, *connection);
    const WatchSource source(loop, *connection, bus.kind, list_filter, feed);
    try {
        loop.run();
    } catch (const sdbus::Error& error) {
        if (was_interrupted()) return;
        throw command_error("watch the containers", error.getName(), error.getMessage(), bus.kind);
    }
    source.rethrow_failure();
    if (output_error) throw CommandError(*output_error);
}

}  // namespace

void add_watch_command(CLI::App& app, const Session& session) {
    const auto options = std::make_shared<Options>();
    CLI::App* const command =
        app.add_subcommand("watch", "Show what happens to containers, a line each, as it does");
    command->add_option("-e,--engine", options->filter.engine, "Only of this engine")->type_name("ENGINE");
    command->add_option("-p,--project", options->filter.project, "Only of this project; '' for those of none")
        ->type_name("PROJECT");
    command->add_option("-n,--name", options->filter.name, "Only with exactly this name")->type_name("NAME");
    command->add_flag(
        "--since-sync", options->since_sync,
        "First the containers that are there, then what happens from then on: no gap, no repeat");
    command->add_flag("--json", options->json, "An object a line, with all that the D-Bus signal says");
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
        "  shorewatchctl watch --json | jq -r 'select(.event == \"exited\" and .details.ExitCode > 0) | "
        ".name'");
    command->callback([options, &session] { run(session, *options); });
}

}  // namespace shorewatch::ctl
