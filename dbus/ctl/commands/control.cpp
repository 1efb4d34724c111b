// reload and resync: what an administrator may ask of the daemon. They say nothing when it is done.
#include "dbus/ctl/commands/commands.h"

namespace shorewatch::ctl {

void add_reload_command(CLI::App& app, const Session& session) {
    CLI::App* const command = app.add_subcommand("reload", "Have the daemon read its configuration again");
    command->footer(
        "A configuration with a mistake is refused, and the one before stays in force.\n"
        "Examples:\n"
        "  shorewatchctl reload");
    command->callback([&session] { BusClient(session.bus()).reload(); });
}

void add_resync_command(CLI::App& app, const Session& session) {
    const auto engine = std::make_shared<std::string>();
    CLI::App* const command =
        app.add_subcommand("resync", "Have an engine listed again, or tried at once if it is not connected");
    command->add_option("engine", *engine, "Its configured name, as 'engines' shows it")
        ->required()
        ->type_name("ENGINE");
    command->footer(
        "Examples:\n"
        "  shorewatchctl resync docker");
    command->callback([engine, &session] { BusClient(session.bus()).resync(*engine); });
}

}  // namespace shorewatch::ctl
