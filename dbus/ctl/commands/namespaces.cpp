// ns: a program of this host, run in the namespaces of a container.

#include "dbus/ctl/commands/commands.h"
#include "dbus/ctl/enter.h"
#include "dbus/ctl/exit_code.h"

namespace shorewatch::ctl {

namespace {

struct Options {
    std::string container;
    std::map<std::string, bool> types;
    std::vector<std::string> command;
};

void run(const Session& session, const Options& options) {
    if (!session.host.empty()) {
        throw CommandError(ExitCode::usage,
                           "ns enters containers of this host, and can't be used with --host; run it there");
    }
    std::vector<std::string> wanted;
    for (const auto& [type, is_wanted] : options.types) {
        if (is_wanted) wanted.push_back(type);
    }
    UniqueFd process;
    int namespaces = 0;
    {
        const BusClient client(session.bus());
        process = client.open_process(options.container);
        namespaces = other_namespaces(client.open_namespaces(options.container, wanted));
    }
    end_with(run_inside(process, namespaces, options.command, options.container));
}

}  // namespace

void add_namespaces_command(CLI::App& app, const Session& session) {
    const auto options = std::make_shared<Options>();
    CLI::App* const command =
        app.add_subcommand("ns", "Run a command in a container's namespaces, as nsenter does");
    for (const std::string& type : namespace_types()) {
        command->add_flag("--" + type, options->types[type], "Enter its " + type + " namespace")
            ->group("Namespaces");
    }
    command
        ->add_option("container", options->container,
                     "Its id, the first 4 or more characters of it, or its name")
        ->required()
        ->type_name("NAME");
    command->add_option("command", options->command, "After --: the program and its arguments")
        ->required()
        ->type_name("COMMAND");
    command->footer(
        "Without one of the namespaces, it enters all that are not our own. The program then has the "
        "container's\n"
        "files, and as root all rights: neither the limits nor the restrictions of the container apply to "
        "it.\n"
        "Ends as the program does, with 128+N if signal N ended it, 127 if there is no such program there, "
        "and 126 if\n"
        "it can't be run. Has to be run as root, or by the user whose container it is.\n"
        "--user is a namespace here: where it means the daemon on the session bus, it stands before ns.\n"
        "Examples:\n"
        "  shorewatchctl ns web -- sh\n"
        "  shorewatchctl ns --net web -- ss -tlnp        # a program of this host, in the network of web\n"
        "  shorewatchctl ns --net --uts web -- tcpdump -ni any");
    command->callback([options, &session] { run(session, *options); });
}

}  // namespace shorewatch::ctl
