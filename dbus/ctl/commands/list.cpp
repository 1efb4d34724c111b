// list: the alive containers, as a table or JSON.
#include <algorithm>

#include "dbus/ctl/commands/commands.h"
#include "dbus/ctl/json_out.h"
#include "dbus/ctl/output.h"
#include "dbus/ctl/time_format.h"
#include "dbus/ctl/views.h"

namespace shorewatch::ctl {

namespace {

struct Options {
    ContainerFilter filter;
    bool paused = false;
    bool running = false;
    bool full_ids = false;
    bool json = false;
};

void run(const Session& session, Options options) {
    if (options.paused || options.running) options.filter.paused = options.paused;
    const BusClient client(session.bus());
    auto containers = client.list_containers(options.filter).containers;
    if (options.json) {
        std::sort(containers.begin(), containers.end(), shown_before);
        return write_answer(to_json(containers));
    }
    write_answer(container_table(std::move(containers), options.full_ids, now_usec(), session.style()));
}

}  // namespace

void add_list_command(CLI::App& app, const Session& session) {
    const auto options = std::make_shared<Options>();
    CLI::App* const command = app.add_subcommand("list", "List the alive containers");
    command->add_option("-e,--engine", options->filter.engine, "Only of this engine")->type_name("ENGINE");
    command->add_option("-p,--project", options->filter.project, "Only of this project; '' for those of none")
        ->type_name("PROJECT");
    command->add_option("-n,--name", options->filter.name, "Only with exactly this name")->type_name("NAME");
    command
        ->add_option("--label", options->filter.labels,
                     "Only with this label; may be given again, all must be there")
        ->type_name("KEY[=VALUE]")
        ->allow_extra_args(false);
    CLI::Option* const paused = command->add_flag("--paused", options->paused, "Only paused ones");
    command->add_flag("--running", options->running, "Only those that are not paused")->excludes(paused);
    command->add_option("--pod", options->filter.pod, "Only of this pod, by its name or id")
        ->type_name("POD");
    command->add_flag("-l,--no-trunc", options->full_ids, "Show whole ids");
    command->add_flag("--json", options->json,
                      "An array of objects with all properties, as the D-Bus API names them");
    command->footer(
        "Examples:\n"
        "  shorewatchctl list --project shop --running\n"
        "  shorewatchctl list --label com.example.tier=web --label com.example.site\n"
        "  shorewatchctl list --json | jq -r '.[] | select(.Privileged) | .Name'");
    command->callback([options, &session] { run(session, *options); });
}

}  // namespace shorewatch::ctl
