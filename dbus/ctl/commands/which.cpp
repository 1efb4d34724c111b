// which: the containers that processes are in.
#include <fmt/format.h>

#include "dbus/ctl/commands/commands.h"
#include "dbus/ctl/json_out.h"
#include "dbus/ctl/output.h"
#include "dbus/ctl/process_place.h"
#include "dbus/ctl/views.h"

namespace shorewatch::ctl {

namespace {

// The most that Linux has (PID_MAX_LIMIT).
constexpr std::uint32_t largest_pid = 1U << 22U;

struct Options {
    std::vector<std::uint32_t> pids;
    bool tree = false;
    bool full_ids = false;
    bool json = false;
};

ProcessPlace place_of(std::uint32_t pid, const BusClient& client, bool chain) {
    ProcessPlace place{pid, client.container_of_process(pid), {}};
    if (!chain) return place;
    const auto inside = [&](std::uint32_t parent) {
        const auto container = client.container_of_process(parent);
        return place.container && container && container->path == place.container->path;
    };
    place.chain = process_chain(pid, read_process, inside);
    return place;
}

void run(const Session& session, const Options& options) {
    if (options.tree && !session.host.empty()) {
        throw CommandError(ExitCode::usage,
                           "--tree reads this host's /proc, and can't be used with --host; run it there");
    }
    const BusClient client(session.bus());
    std::vector<ProcessPlace> places;
    std::optional<CommandError> missing;
    std::string outside;
    for (const std::uint32_t pid : options.pids) {
        try {
            places.push_back(place_of(pid, client, options.tree));
            if (!places.back().container) outside += (outside.empty() ? "" : ", ") + std::to_string(pid);
        } catch (const CommandError& error) {
            if (error.code() != ExitCode::not_found) throw;
            if (!missing) missing = error;
        }
    }
    const Style style = session.style();
    if (options.json) {
        write_answer(to_json(places, options.tree));
    } else if (!places.empty()) {
        write_answer(options.tree ? process_trees(places, style)
                                  : process_table(places, options.full_ids, style));
    }
    if (missing) throw CommandError(*missing);
    if (!outside.empty())
        throw CommandError(ExitCode::not_found, fmt::format("in no container: process {}", outside));
}

}  // namespace

void add_which_command(CLI::App& app, const Session& session) {
    const auto options = std::make_shared<Options>();
    CLI::App* const command = app.add_subcommand("which", "Tell which containers processes are in");
    command->add_option("pid", options->pids, "Processes, as this host numbers them")
        ->required()
        ->type_name("PID")
        ->check(CLI::Range(1U, largest_pid));
    command->add_flag("--tree", options->tree,
                      "From which process of the container each descends, with their names");
    command->add_flag("-l,--no-trunc", options->full_ids, "Show whole ids");
    command->add_flag("--json", options->json,
                      "An array of objects: \"pid\", \"container\" (null: in none) with all properties, and "
                      "with --tree \"chain\"");
    command->footer(
        "Ends with 3 unless all of them are in containers.\n"
        "Examples:\n"
        "  shorewatchctl which 4711\n"
        "  shorewatchctl which --tree $(pgrep nginx)\n"
        "  shorewatchctl which --json $$ | jq -r '.[].container.Name'");
    command->callback([options, &session] { run(session, *options); });
}

}  // namespace shorewatch::ctl
