#include "dbus/ctl/top/terminal_check.h"

#include <cstdint>
#include <cstdlib>

// First this, which the other needs.
#include <curses.h>
// And then that.
#include <fmt/format.h>
#include <term.h>
#include <unistd.h>

#include "engines/support/text.h"

namespace shorewatch::ctl {

CommandError no_screen(const std::string& why) {
    return {ExitCode::refused,
            "cannot show a screen: " + why + "; 'shorewatchctl watch --since-sync' does without one"};
}

void check_terminal() {
    if (isatty(STDIN_FILENO) != 1 || isatty(STDOUT_FILENO) != 1)
        throw no_screen("the standard input and output are not both a terminal");
    const char* const variable = std::getenv("TERM");
    const std::string name = variable == nullptr ? std::string() : printable(variable);
    if (name.empty()) throw no_screen("the environment has no TERM that says which terminal this is");
    int answer = 0;
    if (setupterm(nullptr, STDOUT_FILENO, &answer) != OK) {
        // 0 is also said of terminals that are known to be of no use, as "unknown".
        throw no_screen(answer < 0 ? "there is no terminfo to look terminals up in; install ncurses-base"
                                   : fmt::format("TERM={} is not known here; set one that is", name));
    }
    // 0: there is none; -1: there can be none.
    const char* const move = tigetstr("cup");
    const bool can_move = move != nullptr && reinterpret_cast<std::intptr_t>(move) != -1;
    del_curterm(cur_term);
    if (!can_move)
        throw no_screen(fmt::format("a terminal with TERM={} can't put the cursor anywhere", name));
}

}  // namespace shorewatch::ctl
