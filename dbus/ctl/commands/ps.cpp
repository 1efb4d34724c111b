// ps: the containers that run has made.
#include "dbus/ctl/commands/runtime_options.h"
#include "dbus/ctl/json_out.h"
#include "dbus/ctl/output.h"
#include "dbus/ctl/runtime/runtime_views.h"
#include "dbus/ctl/time_format.h"

namespace shorewatch::ctl {

namespace {

struct Options {
    std::optional<std::string> engine;
    bool running = false;
    bool quiet = false;
    bool json = false;
};

void show(const Session& session, const Options& options) {
    const BusClient client(session.bus());
    std::vector<RuntimeContainer> containers = RuntimeClient(client, options.engine).list();
    if (options.running) std::erase_if(containers, [](const auto& container) { return !container.alive(); });
    if (options.json) return write_answer(to_json(containers));
    if (!options.quiet) return write_answer(runtime_table(containers, now_usec(), session.style()));
    std::string ids;
    for (const RuntimeContainer& container : containers)
        ids += container.id + "\n";
    write_answer(ids);
}

}  // namespace

void add_ps_command(CLI::App& app, const Session& session) {
    const auto options = std::make_shared<Options>();
    CLI::App* const command =
        app.add_subcommand("ps", "List the containers that run has made, ended ones too");
    command->add_flag("-r,--running", options->running, "Only those that have not ended");
    command->add_flag("-q,--quiet", options->quiet, "Their ids alone, a line each");
    command->add_flag("--json", options->json,
                      "An array of objects: \"Id\", \"Engine\" and what the D-Bus API has");
    add_engine_option(*command, options->engine);
    command->footer(
        "Those of other programs are in list.\n"
        "Examples:\n"
        "  shorewatchctl ps\n"
        "  shorewatchctl rm $(shorewatchctl ps -q)");
    command->callback([options, &session] { show(session, *options); });
}

}  // namespace shorewatch::ctl
