// update: other limits for a container that runs. It says nothing when it is done.
#include "dbus/ctl/commands/runtime_options.h"

namespace shorewatch::ctl {

void add_update_command(CLI::App& app, const Session& session) {
    struct Options {
        std::string container;
        std::optional<std::string> engine;
        ResourceOptions resources;
    };
    const auto options = std::make_shared<Options>();
    CLI::App* const command =
        app.add_subcommand("update", "Change the limits of a container that run has made");
    add_container_option(*command, options->container);
    add_resource_options(*command, options->resources);
    add_engine_option(*command, options->engine);
    command->footer(
        "Until it ends: the next start has the limits that it was made with.\n"
        "Examples:\n"
        "  shorewatchctl update --memory 1g --cpus 2 web\n"
        "  shorewatchctl update --pids-limit unlimited web");
    command->callback([options, &session] {
        const Resources resources = options->resources.resources();
        if (resources.empty())
            throw CommandError(ExitCode::usage, "there is nothing to change: say a limit, as --memory 1g");
        const BusClient client(session.bus());
        RuntimeClient(client, options->engine).update(options->container, resources_json(resources));
    });
}

}  // namespace shorewatch::ctl
