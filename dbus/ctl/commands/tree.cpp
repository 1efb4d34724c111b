// tree: engines, their projects, and the containers in them.
#include "dbus/ctl/commands/commands.h"
#include "dbus/ctl/output.h"
#include "dbus/ctl/views.h"

namespace shorewatch::ctl {

void add_tree_command(CLI::App& app, const Session& session) {
    CLI::App* const command =
        app.add_subcommand("tree", "Show engines, their projects, and the containers in them");
    command->footer(
        "Examples:\n"
        "  shorewatchctl tree\n"
        "  shorewatchctl -H root@build1 tree");
    command->callback([&session] {
        const BusClient client(session.bus());
        const auto engines = client.list_engines();
        write_answer(tree(engines, client.list_containers({}).containers, session.style()));
    });
}

}  // namespace shorewatch::ctl
