// The commands of shorewatchctl. Each file beside this one adds one: its options, its help, what it does.
#pragma once

#include <memory>
#include <string>
#include <utility>

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

// session outlives app. A command that can't do what it was asked throws CommandError.
void add_list_command(CLI::App& app, const Session& session);
void add_tree_command(CLI::App& app, const Session& session);
void add_show_command(CLI::App& app, const Session& session);
void add_watch_command(CLI::App& app, const Session& session);
void add_engines_command(CLI::App& app, const Session& session);
void add_reload_command(CLI::App& app, const Session& session);
void add_resync_command(CLI::App& app, const Session& session);

}  // namespace shorewatch::ctl
