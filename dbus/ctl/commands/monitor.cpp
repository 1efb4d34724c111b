// monitor: watch, with a program that is run for each event in place of the line.
#include <fmt/format.h>

#include "dbus/ctl/bus_loop.h"
#include "dbus/ctl/commands/watch_options.h"
#include "dbus/ctl/event_commands.h"
#include "dbus/ctl/output.h"

namespace shorewatch::ctl {

namespace {

struct Options {
    WatchOptions watch;
    bool execute = false;
    std::vector<std::string> command;
};

void execute(const Session& session, const Options& options) {
    const BusChoice bus = session.bus();
    const auto connection = open_bus(bus);
    EventLoop loop;
    EventCommands commands(loop, options.command, [](const std::string& what) { write_complaint(what); });
    const EndingSignals ending(loop, [&] { commands.end([&loop] { loop.stop(); }); });
    follow_events(loop, *connection, bus.kind, options.watch, ending,
                  [&](const WatchEvent& event) { commands.add(event); });
}

void run(const Session& session, const Options& options) {
    if (!options.execute && !options.command.empty()) {
        throw CommandError(ExitCode::usage,
                           fmt::format("'{}' is no option; to run it for each event, say --exec before it",
                                       options.command.front()));
    }
    if (!options.execute) return show_events(session, options.watch);
    if (options.command.empty()) {
        throw CommandError(
            ExitCode::usage,
            "--exec wants a program and its arguments: shorewatchctl monitor --exec -- PROGRAM "
            "ARGUMENT…");
    }
    if (options.watch.json) {
        throw CommandError(
            ExitCode::usage,
            "--json is for lines, and with --exec there are none: the program has its event in "
            "JSON on its standard input");
    }
    execute(session, options);
}

}  // namespace

void add_monitor_command(CLI::App& app, const Session& session) {
    const auto options = std::make_shared<Options>();
    CLI::App* const command =
        app.add_subcommand("monitor", "Run a program for each thing that happens to containers");
    add_watch_options(*command, options->watch);
    command->add_flag("-x,--exec", options->execute,
                      "Run a program for each event, rather than write a line");
    command->add_option("command", options->command, "After --: the program for --exec, and its arguments")
        ->type_name("COMMAND");
    command->footer(
        "Without --exec it is watch. With it, the program is run once an event, one at a time and in order, "
        "with the\n"
        "event in its environment and, as the object that watch --json writes, on its standard input. What "
        "is "
        "not known\n"
        "of an event has no variable:\n"
        "  SHOREWATCH_EVENT           started, exited, paused, unpaused, renamed, engine-state; with "
        "--since-sync\n"
        "                             present and synchronized; daemon-awaited, daemon-up, daemon-down\n"
        "  SHOREWATCH_ENGINE, _PROJECT, _CONTAINER_NAME, _CONTAINER_ID, _PATH\n"
        "  SHOREWATCH_PID, _IMAGE     started, present\n"
        "  SHOREWATCH_EXIT_CODE       exited; 128+N for signal N. _OOM_KILLED: 1 or 0. _RAN: for how long, "
        "in "
        "µs\n"
        "  SHOREWATCH_OLD_NAME        renamed\n"
        "  SHOREWATCH_STATE           engine-state; _LAST_ERROR: why, if it is not watched\n"
        "  SHOREWATCH_TIMESTAMP       when it happened, in µs since 1970; _SEQUENCE, _CAUSE: as D-Bus has "
        "them\n"
        "There is no shell unless you name one, and no name of a container in a command line: in a script, "
        "quote\n"
        "\"$SHOREWATCH_CONTAINER_NAME\". A program that fails is told of on the standard error, and the next "
        "event has its\n"
        "turn. SIGINT and SIGTERM end it with 0, once the program that runs has ended; a second one does not "
        "wait.\n"
        "Examples:\n"
        "  shorewatchctl monitor --exec --event exited --project shop -- /usr/local/bin/on-exit\n"
        "  shorewatchctl monitor --exec -- sh -c 'logger \"$SHOREWATCH_CONTAINER_NAME $SHOREWATCH_EVENT\"'\n"
        "  shorewatchctl monitor --exec --event started -- sh -c 'jq -r .details.Image >> /tmp/images'");
    command->callback([options, &session] { run(session, *options); });
}

}  // namespace shorewatch::ctl
