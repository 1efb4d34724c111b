#include "dbus/ctl/top/screen.h"

#include <climits>
#include <cstddef>
#include <cstdio>
#include <string>
#include <utility>

// Macros of the names of members of ours and of the standard library would be no help.
#define NCURSES_NOMACROS
#define NCURSES_WIDECHAR 1
#include <curses.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <wchar.h>

#include "dbus/ctl/top/terminal_check.h"

namespace shorewatch::ctl {

namespace {

// Colours by their pair.
constexpr short good_pair = 1;
constexpr short warning_pair = 2;
constexpr short bad_pair = 3;

// How long an Escape may be the beginning of a key's sequence; over a slow ssh it comes in one piece, too.
constexpr int escape_milliseconds = 50;

attr_t attributes(const TopCell& cell, bool colour) {
    attr_t result = cell.reversed ? A_REVERSE : A_NORMAL;
    if (cell.tone == Tone::strong) result |= A_BOLD;
    // In reverse, faint can't be read on many terminals.
    if (cell.tone == Tone::faint && colour && !cell.reversed) result |= A_DIM;
    return result;
}

short pair_of(Tone tone) {
    switch (tone) {
        case Tone::good:
            return good_pair;
        case Tone::warning:
            return warning_pair;
        case Tone::bad:
            return bad_pair;
        default:
            return 0;
    }
}

std::string utf8_of(wint_t character) {
    char bytes[MB_LEN_MAX];
    std::mbstate_t state{};
    // NOLINTNEXTLINE(concurrency-mt-unsafe): with a state of our own it is safe
    const std::size_t size = wcrtomb(bytes, static_cast<wchar_t>(character), &state);
    return size == static_cast<std::size_t>(-1) ? std::string() : std::string(bytes, size);
}

TopKey function_key(wint_t code) {
    using Code = TopKey::Code;
    switch (code) {
        case KEY_UP:
            return {Code::up, {}};
        case KEY_DOWN:
            return {Code::down, {}};
        case KEY_PPAGE:
            return {Code::page_up, {}};
        case KEY_NPAGE:
            return {Code::page_down, {}};
        case KEY_HOME:
            return {Code::home, {}};
        case KEY_END:
            return {Code::end, {}};
        case KEY_ENTER:
            return {Code::enter, {}};
        case KEY_BACKSPACE:
            return {Code::backspace, {}};
        default:
            return {Code::other, {}};
    }
}

TopKey plain_key(wint_t character) {
    using Code = TopKey::Code;
    if (character == '\r' || character == '\n') return {Code::enter, {}};
    if (character == 0x1b) return {Code::escape, {}};
    if (character == 0x7f || character == '\b') return {Code::backspace, {}};
    std::string text = utf8_of(character);
    if (character < ' ' || text.empty()) return {Code::other, {}};
    return {Code::character, std::move(text)};
}

}  // namespace

// What ncurses allocates, and the state of the terminal with it.
struct TopScreen::Terminal {
    Terminal() : screen(newterm(nullptr, stdout, stdin)) {
        if (screen == nullptr) throw no_screen("ncurses can't use this terminal");
    }
    ~Terminal() {
        endwin();
        delscreen(screen);
    }
    Terminal(const Terminal&) = delete;
    Terminal& operator=(const Terminal&) = delete;

    SCREEN* screen;
    bool colour = false;
};

TopScreen::TopScreen(bool colour) {
    check_terminal();
    terminal_ = std::make_unique<Terminal>();
    // Ctrl-C and Ctrl-Z stay signals.
    cbreak();
    noecho();
    nonl();
    keypad(stdscr, TRUE);
    nodelay(stdscr, TRUE);
    set_escdelay(escape_milliseconds);
    curs_set(0);
    if (!colour || !has_colors()) return;
    terminal_->colour = true;
    start_color();
    const short background = use_default_colors() == OK ? short{-1} : short{COLOR_BLACK};
    init_pair(good_pair, COLOR_GREEN, background);
    init_pair(warning_pair, COLOR_YELLOW, background);
    init_pair(bad_pair, COLOR_RED, background);
}

TopScreen::~TopScreen() = default;

TopSize TopScreen::size() const {
    return {static_cast<std::size_t>(LINES), static_cast<std::size_t>(COLS)};
}

void TopScreen::show(const std::vector<TopLine>& lines) {
    erase();
    int row = 0;
    for (const TopLine& line : lines) {
        move(row++, 0);
        for (const TopCell& cell : line) {
            attr_set(attributes(cell, terminal_->colour), terminal_->colour ? pair_of(cell.tone) : short{0},
                     nullptr);
            // An error is what comes of the last cell of a screen: the cursor has nowhere to go.
            addnstr(cell.text.c_str(), static_cast<int>(cell.text.size()));
        }
    }
    refresh();
}

std::vector<TopKey> TopScreen::read_keys() {
    std::vector<TopKey> keys;
    wint_t character = 0;
    for (int kind = 0; (kind = get_wch(&character)) != ERR;)
        keys.push_back(kind == KEY_CODE_YES ? function_key(character) : plain_key(character));
    return keys;
}

void TopScreen::fit() {
    winsize now{};
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &now) == 0 && now.ws_row > 0 && now.ws_col > 0)
        resizeterm(now.ws_row, now.ws_col);
    clearok(stdscr, TRUE);
}

void TopScreen::suspend() {
    endwin();
}

}  // namespace shorewatch::ctl
