// The commands of shorewatchctl. Each file beside this one adds one: its options, its help, what it does.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>

#include "dbus/ctl/bus_client.h"
#include "dbus/ctl/terminal.h"

namespace shorewatch::ctl {

// What is said for all commands. Filled in when a command runs, which is after the whole command line was
// read.
struct Session {
    bool user = false;
    std::string host;  // empty: this one
    std::string colour = "auto";

    [[nodiscard]] BusChoice bus() const;
    [[nodiscard]] Style style() const;
};

// The argument NAME… of commands for several containers; it outlives app.
void add_containers_option(CLI::App& command, std::vector<std::string>& names);

// Acts on each, also after one failed. Failures are told in order, the last by being thrown, with the code of
// the first.
void for_each_container(const std::vector<std::string>& names,
                        const std::function<void(const std::string&)>& act);

// session outlives app. A command that can't do what it was asked throws CommandError.
void add_list_command(CLI::App& app, const Session& session);
void add_tree_command(CLI::App& app, const Session& session);
void add_top_command(CLI::App& app, const Session& session);
void add_show_command(CLI::App& app, const Session& session);
void add_watch_command(CLI::App& app, const Session& session);
void add_wait_command(CLI::App& app, const Session& session);
void add_monitor_command(CLI::App& app, const Session& session);
void add_engines_command(CLI::App& app, const Session& session);
void add_which_command(CLI::App& app, const Session& session);
void add_namespaces_command(CLI::App& app, const Session& session);
void add_inspect_command(CLI::App& app, const Session& session);
void add_addresses_command(CLI::App& app, const Session& session);
void add_pause_command(CLI::App& app, const Session& session);
void add_unpause_command(CLI::App& app, const Session& session);
void add_stop_command(CLI::App& app, const Session& session);
void add_kill_command(CLI::App& app, const Session& session);
void add_reload_command(CLI::App& app, const Session& session);
void add_resync_command(CLI::App& app, const Session& session);
void add_run_command(CLI::App& app, const Session& session);
void add_exec_command(CLI::App& app, const Session& session);
void add_ps_command(CLI::App& app, const Session& session);
void add_stats_command(CLI::App& app, const Session& session);
void add_update_command(CLI::App& app, const Session& session);
void add_checkpoint_command(CLI::App& app, const Session& session);
void add_restore_command(CLI::App& app, const Session& session);
void add_rm_command(CLI::App& app, const Session& session);
void add_task_command(CLI::App& app, const Session& session);

}  // namespace shorewatch::ctl
