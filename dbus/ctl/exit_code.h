// What shorewatchctl ends with, and the one line it says when it can't do what was asked.
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>

namespace shorewatch::ctl {

// Part of the interface of the program: scripts branch on them. Documented in --help.
enum class ExitCode : int {
    ok = 0,
    refused = 1,        // the daemon or an engine said no, or the output can't be written
    usage = 2,          // the command line makes no sense
    not_found = 3,      // no such container, project, process or engine; a process in no container
    ambiguous = 4,      // the name fits more than one container
    unreachable = 5,    // no bus, no daemon on it, or no answer
    access_denied = 6,  // the bus or the daemon says that this user may not
    // Of `wait` alone, beside the exit codes of containers.
    timed_out = 124,
    no_exit_code = 125,
    // Of `ns`, `run`, `exec` and `restore` alone, as shells have them.
    not_runnable = 126,
    no_such_program = 127,
};

// Ends the program with the exit code of something else, a container or a program that was run.
[[noreturn]] void end_with(int code);

// Ends a command. what() is one printable line: "cannot do this: why; what to do".
class CommandError : public std::runtime_error {
  public:
    CommandError(ExitCode code, const std::string& line) : std::runtime_error(line), code_(code) {}
    [[nodiscard]] ExitCode code() const noexcept { return code_; }

  private:
    ExitCode code_;
};

// Which bus was meant: it decides what to advise.
enum class BusKind { system, user, remote };

// Which right a call needs: it decides too.
enum class Right { read, inspect, control, run };

// A D-Bus error in answer to a call, told as a CommandError. doing continues "cannot …": "list the
// containers". name is the error's D-Bus name, message its text, which may hold anything.
[[nodiscard]] CommandError command_error(std::string_view doing, std::string_view name,
                                         std::string_view message, BusKind bus, Right right = Right::read);

// The same for the attempt to reach the bus itself. host: of a remote bus.
[[nodiscard]] CommandError connect_error(std::string_view name, std::string_view message, BusKind bus,
                                         std::string_view host);

}  // namespace shorewatch::ctl
