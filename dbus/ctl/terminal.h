// What the output can take: its width, colours, characters beyond ASCII.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace shorewatch::ctl {

enum class ColourWhen { automatic, always, never };

// How a piece of text is meant; colour is only one way to show it, so that nothing depends on it.
enum class Tone { plain, good, warning, bad, faint, strong };

struct Style {
    bool colour = false;
    bool unicode = true;               // UTF-8 may be written
    std::optional<std::size_t> width;  // columns of the terminal; absent: not a terminal, nothing is cut
};

// Of the standard output. Colour on a terminal only, unless asked for: not with NO_COLOR or TERM=dumb. The
// width is COLUMNS where set, else the terminal's own word, else 80.
[[nodiscard]] Style output_style(ColourWhen colour);

// Whether the user's locale takes UTF-8. Call setlocale(LC_CTYPE, "") before. Where nothing at all is said
// about the locale the answer is yes, as everywhere in systemd: such a C locale means "not configured".
[[nodiscard]] bool locale_takes_utf8();

// text as one line that can be shown: printable(), and in a locale without UTF-8 every other character than
// ASCII as
// \u{NNNN}.
[[nodiscard]] std::string shown(std::string_view text, const Style& style);

// text, which is shown() already, in the colour of its tone.
[[nodiscard]] std::string coloured(std::string_view text, Tone tone, const Style& style);

}  // namespace shorewatch::ctl
