// top: what is alive and what happens to it, on a screen.
#include "dbus/ctl/top/top.h"

#include <csignal>

#include "dbus/ctl/commands/commands.h"
#include "dbus/ctl/top/terminal_check.h"

namespace shorewatch::ctl {

namespace {

// Whether there are colours is also for the terminal to say, even where they are to be there always.
void run(const Session& session) {
    sigset_t signals;
    sigemptyset(&signals);
    for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGTSTP, SIGWINCH})
        sigaddset(&signals, number);
    pthread_sigmask(SIG_BLOCK, &signals, nullptr);
    (void)std::signal(SIGPIPE, SIG_IGN);
    check_terminal();
    Top(session.bus(), session.style().colour).run();
}

}  // namespace

void add_top_command(CLI::App& app, const Session& session) {
    CLI::App* const command =
        app.add_subcommand("top", "Show what is alive and what happens to it, live, on the whole screen");
    command->footer(
        "Engines, projects and containers with their state, pid, uptime, and what they use of the machine; "
        "the "
        "latest\n"
        "events below. Keys: arrows or j and k to move, p to pause or unpause, s to stop (it asks), f to "
        "follow "
        "one,\n"
        "/ to filter, ? for help, q to quit.\n"
        "CPU and memory are read from control groups here, and a dash where they can't be: on another host "
        "(-H), "
        "or of\n"
        "a container that shares its group. Needs a terminal with a cursor to move: any but TERM=dumb, with "
        "or "
        "without\n"
        "colours, which NO_COLOR turns off, and in ASCII where the locale is not UTF-8. Waits for a daemon "
        "or a "
        "bus that\n"
        "went; a connection to another host that broke ends it.\n"
        "Examples:\n"
        "  shorewatchctl top\n"
        "  shorewatchctl -H root@build1 top");
    command->callback([&session] { run(session); });
}

}  // namespace shorewatch::ctl
