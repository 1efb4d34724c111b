// Whether the terminal can be a screen at all. Beside screen.cpp, as the names of <term.h> take too many
// others.
#pragma once

#include <string>

#include "dbus/ctl/exit_code.h"

namespace shorewatch::ctl {

[[nodiscard]] CommandError no_screen(const std::string& why);

// Throws CommandError where the standard input and output are no terminal, or one where the cursor can't be
// put somewhere, as TERM=dumb.
void check_terminal();

}  // namespace shorewatch::ctl
