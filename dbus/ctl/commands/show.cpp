// show: everything that is known of one container.
#include "dbus/ctl/commands/commands.h"
#include "dbus/ctl/json_out.h"
#include "dbus/ctl/output.h"
#include "dbus/ctl/time_format.h"
#include "dbus/ctl/views.h"

namespace shorewatch::ctl {

namespace {

struct Options {
    std::string name;
    bool json = false;
};

}  // namespace

void add_show_command(CLI::App& app, const Session& session) {
    const auto options = std::make_shared<Options>();
    CLI::App* const command = app.add_subcommand("show", "Show everything that is known of one container");
    command
        ->add_option("container", options->name, "Its id, the first 4 or more characters of it, or its name")
        ->required()
        ->type_name("NAME");
    command->add_flag("--json", options->json, "An object with all properties, as the D-Bus API names them");
    command->footer(
        "Examples:\n"
        "  shorewatchctl show web\n"
        "  shorewatchctl show --json 4f1a9c | jq .Labels\n"
        "A name that fits several containers ends with 4, and the error says which they are.");
    command->callback([options, &session] {
        const ContainerInfo container = BusClient(session.bus()).container(options->name);
        write_answer(options->json ? to_json(container)
                                   : container_details(container, now_usec(), session.style()));
    });
}

}  // namespace shorewatch::ctl
