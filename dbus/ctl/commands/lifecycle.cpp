// pause, unpause, stop and kill: what can be done to containers. They say nothing when it is done.
#include <fmt/format.h>

#include "dbus/ctl/commands/commands.h"
#include "dbus/ctl/output.h"
#include "dbus/ctl/signal_name.h"

namespace shorewatch::ctl {

namespace {

// As the daemon has it: a day, in seconds.
constexpr std::uint32_t longest_patience = 24 * 3600;

// A command that does the same to each container.
CLI::App& add_command(CLI::App& app, const Session& session, const char* name, const char* what,
                      std::function<void(const BusClient&, const std::string&)> act) {
    const auto names = std::make_shared<std::vector<std::string>>();
    CLI::App* const command = app.add_subcommand(name, what);
    add_containers_option(*command, *names);
    command->callback([names, act = std::move(act), &session] {
        const BusClient client(session.bus());
        for_each_container(*names, [&](const std::string& container) { act(client, container); });
    });
    return *command;
}

}  // namespace

void add_containers_option(CLI::App& command, std::vector<std::string>& names) {
    command
        .add_option("container", names, "Their ids, the first 4 or more characters of them, or their names")
        ->required()
        ->type_name("NAME");
}

void for_each_container(const std::vector<std::string>& names,
                        const std::function<void(const std::string&)>& act) {
    std::optional<ExitCode> first;
    std::string latest;
    for (const std::string& name : names) {
        try {
            act(name);
        } catch (const CommandError& error) {
            // Of no use to go on: the others would fail for the same reason.
            if (error.code() == ExitCode::unreachable) throw;
            if (first) write_complaint(latest);
            if (!first) first = error.code();
            latest = error.what();
        }
    }
    if (first) throw CommandError(*first, latest);
}

void add_pause_command(CLI::App& app, const Session& session) {
    add_command(app, session, "pause", "Freeze the processes of containers",
                [](const BusClient& client, const std::string& name) { client.pause(name); })
        .footer(
            "Examples:\n"
            "  shorewatchctl pause web db");
}

void add_unpause_command(CLI::App& app, const Session& session) {
    add_command(app, session, "unpause", "Let the processes of paused containers go on",
                [](const BusClient& client, const std::string& name) { client.unpause(name); })
        .footer(
            "Examples:\n"
            "  shorewatchctl unpause web db");
}

void add_stop_command(CLI::App& app, const Session& session) {
    const auto patience = std::make_shared<std::uint32_t>(10);
    CLI::App& command = add_command(app, session, "stop", "Have containers end, and end them if they don't",
                                    [patience](const BusClient& client, const std::string& name) {
                                        client.stop(name, std::chrono::seconds(*patience));
                                    });
    command
        .add_option("-t,--timeout", *patience, "How long they may take before they are killed; default: 10")
        ->type_name("SECONDS")
        ->check(CLI::Range(0U, longest_patience));
    command.footer(
        "Waits until they have ended. Containers that their engine restarts are not restarted after this.\n"
        "Examples:\n"
        "  shorewatchctl stop web\n"
        "  shorewatchctl stop --timeout 60 db");
}

void add_kill_command(CLI::App& app, const Session& session) {
    const auto signal = std::make_shared<std::string>("KILL");
    CLI::App& command =
        add_command(app, session, "kill", "Send a signal to the initial processes of containers",
                    [signal](const BusClient& client, const std::string& name) {
                        client.kill(name, signal_number(*signal).value());
                    });
    command.add_option("-s,--signal", *signal, "Its name or number, as TERM, SIGTERM or 15; default: KILL")
        ->type_name("SIGNAL")
        ->check([](const std::string& text) {
            return signal_number(text) ? std::string()
                                       : "there is no signal '" + text + "'; kill -l lists them";
        });
    command.footer(
        "Examples:\n"
        "  shorewatchctl kill --signal HUP web\n"
        "  shorewatchctl kill web");
}

}  // namespace shorewatch::ctl
