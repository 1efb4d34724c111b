// Options that several of the commands for the Runtime have.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>

#include "dbus/ctl/commands/commands.h"
#include "dbus/ctl/oci/resources.h"
#include "dbus/ctl/runtime/process_run.h"
#include "engines/support/text.h"

namespace shorewatch::ctl {

// All of them outlive the command they are added to.
void add_engine_option(CLI::App& command, std::optional<std::string>& engine);
// The argument ID.
void add_container_option(CLI::App& command, std::string& container);

// As they were typed.
struct ResourceOptions {
    std::optional<std::string> memory;
    std::optional<std::string> memory_reservation;
    std::optional<std::string> memory_swap;
    std::optional<std::string> cpus;
    std::optional<std::string> pids;
    std::optional<std::string> cpuset;
    std::optional<std::uint64_t> cpu_shares;

    [[nodiscard]] Resources resources() const;
};
void add_resource_options(CLI::App& command, ResourceOptions& options);

// Streams of ours that a process is to have, as -i and -t have it.
struct StreamOptions {
    bool input = false;
    bool terminal = false;
    bool detached = false;
};
void add_stream_options(CLI::App& command, StreamOptions& options);
// Throws CommandError where they can't be: for a terminal there has to be one here.
void check(const StreamOptions& options, const Session& session, const char* command);

// Runs it and ends as it does: does not return. Throws CommandError.
[[noreturn]] void run_and_exit(const Session& session, const std::optional<std::string>& engine,
                               ProcessRequest request);

// What can be said of an option's text, for CLI11: nothing if parse makes something of it, otherwise that it
// is not what is wanted, "a number".
template <typename Parse>
std::function<std::string(const std::string&)> checked(Parse parse, std::string wanted) {
    return [parse, wanted = std::move(wanted)](const std::string& text) {
        return parse(text) ? std::string() : "'" + printable(text) + "' is not " + wanted;
    };
}

// 12 hexadecimal digits that nobody has had before. Throws CommandError.
[[nodiscard]] std::string random_name();

// KEY=VALUE, of KEY=VALUE or KEY, which is what our own environment has of it, and nothing if it has none.
[[nodiscard]] std::vector<std::string> given_variables(const std::vector<std::string>& given);

// Of the terminal that we are on; 0 by 0 if it is none.
[[nodiscard]] TerminalSize our_terminal_size();

// A text that JSON and D-Bus can carry. what: for the error, "an argument". Throws CommandError.
void check_text(const std::string& text, const char* what);

}  // namespace shorewatch::ctl
