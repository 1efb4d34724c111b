#include "dbus/ctl/terminal.h"

#include <charconv>
#include <cstdint>
#include <cstdlib>

#include <fmt/format.h>
#include <langinfo.h>
#include <locale.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "engines/support/text.h"

namespace shorewatch::ctl {

namespace {

std::string_view environment(const char* name) {
    const char* const value = std::getenv(name);
    return value == nullptr ? std::string_view{} : std::string_view(value);
}

std::size_t terminal_width() {
    const std::string_view columns = environment("COLUMNS");
    std::size_t width = 0;
    const auto [end, error] = std::from_chars(columns.data(), columns.data() + columns.size(), width);
    if (error == std::errc{} && end == columns.data() + columns.size() && width > 0) return width;
    winsize size{};
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
    return 80;
}

const char* escape_of(Tone tone) {
    switch (tone) {
        case Tone::plain:
            return "";
        case Tone::good:
            return "\x1b[32m";
        case Tone::warning:
            return "\x1b[33m";
        case Tone::bad:
            return "\x1b[31m";
        case Tone::faint:
            return "\x1b[2m";
        case Tone::strong:
            return "\x1b[1m";
    }
    return "";
}

// The characters of valid UTF-8 beyond ASCII, written out.
std::string ascii_only(std::string_view text) {
    std::string result;
    for (std::size_t i = 0; i < text.size();) {
        const auto lead = static_cast<unsigned char>(text[i]);
        if (lead < 0x80) {
            result += text[i++];
            continue;
        }
        const std::size_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
        auto code_point = static_cast<std::uint32_t>(lead & (0xFFU >> (length + 1)));
        for (std::size_t k = 1; k < length && i + k < text.size(); ++k) {
            code_point = (code_point << 6U) | (static_cast<unsigned char>(text[i + k]) & 0x3FU);
        }
        result += fmt::format("\\u{{{:04x}}}", code_point);
        i += length;
    }
    return result;
}

}  // namespace

bool locale_takes_utf8() {
    if (std::string_view(nl_langinfo(CODESET)) == "UTF-8") return true;
    // NOLINTNEXTLINE(concurrency-mt-unsafe): asked on the only thread
    const char* const locale = setlocale(LC_CTYPE, nullptr);
    const bool unset =
        environment("LC_ALL").empty() && environment("LC_CTYPE").empty() && environment("LANG").empty();
    return unset && locale != nullptr && std::string_view(locale) == "C";
}

Style output_style(ColourWhen colour) {
    Style style;
    style.unicode = locale_takes_utf8();
    const bool terminal = isatty(STDOUT_FILENO) == 1;
    if (terminal) style.width = terminal_width();
    style.colour = colour == ColourWhen::always;
    if (colour == ColourWhen::automatic) {
        style.colour = terminal && environment("NO_COLOR").empty() && environment("TERM") != "dumb";
    }
    return style;
}

std::string shown(std::string_view text, const Style& style) {
    std::string result = printable(text);
    return style.unicode ? result : ascii_only(result);
}

std::string coloured(std::string_view text, Tone tone, const Style& style) {
    if (!style.colour || tone == Tone::plain || text.empty()) return std::string(text);
    return std::string(escape_of(tone)).append(text).append("\x1b[0m");
}

}  // namespace shorewatch::ctl
