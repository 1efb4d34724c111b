// engines: what is watched, and how that goes.
#include "dbus/ctl/commands/commands.h"
#include "dbus/ctl/json_out.h"
#include "dbus/ctl/output.h"
#include "dbus/ctl/time_format.h"
#include "dbus/ctl/views.h"

namespace shorewatch::ctl {

void add_engines_command(CLI::App& app, const Session& session) {
    const auto json = std::make_shared<bool>(false);
    CLI::App* const command =
        app.add_subcommand("engines", "List the container engines and how they are reached");
    command->add_flag("--json", *json,
                      "An array of objects with all properties, as the D-Bus API names them");
    command->footer(
        "Examples:\n"
        "  shorewatchctl engines\n"
        "  shorewatchctl engines --json | jq -r '.[] | select(.State != \"watching\") | .LastError'");
    command->callback([json, &session] {
        const auto engines = BusClient(session.bus()).list_engines();
        write_answer(*json ? to_json(engines) : engine_table(engines, now_usec(), session.style()));
    });
}

}  // namespace shorewatch::ctl
