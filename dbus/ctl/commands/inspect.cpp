// inspect and addresses: what only the engine or the container itself knows.
#include <fmt/format.h>

#include "dbus/ctl/commands/commands.h"
#include "dbus/ctl/json_out.h"
#include "dbus/ctl/output.h"
#include "dbus/ctl/views.h"
#include "engines/support/text.h"

namespace shorewatch::ctl {

void add_inspect_command(CLI::App& app, const Session& session) {
    const auto names = std::make_shared<std::vector<std::string>>();
    CLI::App* const command =
        app.add_subcommand("inspect", "Show what the engine knows of containers, in its own JSON");
    add_containers_option(*command, *names);
    command->footer(
        "What an engine says has secrets in it, as in environments. Several containers are several "
        "values.\n"
        "Examples:\n"
        "  shorewatchctl inspect web | jq '.HostConfig'");
    command->callback([names, &session] {
        const BusClient client(session.bus());
        for_each_container(*names, [&](const std::string& name) {
            const auto text = ascii_json(client.inspect(name));
            if (!text) {
                throw CommandError(
                    ExitCode::refused,
                    fmt::format("cannot inspect '{}': what its engine says is no JSON that can be shown",
                                printable(name)));
            }
            write_answer(*text);
        });
    });
}

void add_addresses_command(CLI::App& app, const Session& session) {
    struct Options {
        std::string container;
        bool json = false;
    };
    const auto options = std::make_shared<Options>();
    CLI::App* const command = app.add_subcommand("addresses", "List the network addresses of a container");
    command
        ->add_option("container", options->container,
                     "Its id, the first 4 or more characters of it, or its name")
        ->required()
        ->type_name("NAME");
    command->add_flag("--json", options->json, "An array of objects: \"interface\" and \"address\"");
    command->footer(
        "As they are in its network namespace now.\n"
        "Examples:\n"
        "  shorewatchctl addresses web\n"
        "  shorewatchctl addresses --json web | jq -r '.[].address'");
    command->callback([options, &session] {
        const auto addresses = BusClient(session.bus()).addresses(options->container);
        write_answer(options->json ? to_json(addresses) : address_table(addresses, session.style()));
    });
}

}  // namespace shorewatch::ctl
