// The screen of `top` as lines of cells, from what is alive and what the user has set. Pure: no terminal.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "dbus/ctl/terminal.h"
#include "dbus/ctl/top/control_groups.h"
#include "dbus/ctl/top/controls.h"

namespace shorewatch::ctl {

struct TopSize {
    std::size_t rows = 24;
    std::size_t columns = 80;
};

// The size to draw for, and what of it goes to the tree, so that keys know a page.
struct TopLayout {
    TopSize size;
    std::size_t tree = 0;    // rows of the tree
    std::size_t events = 0;  // of events; 0: no room for them
};
[[nodiscard]] TopLayout top_layout(TopSize size, const TopState& state);

// A piece of a line.
struct TopCell {
    std::string text;  // as it is shown: fit for the terminal
    Tone tone = Tone::plain;
    bool reversed = false;
};
using TopLine = std::vector<TopCell>;

struct TopScene {
    const TopModel& model;
    const TopState& state;                         // settled
    const std::map<std::string, TopUsage>& usage;  // by path
    std::string bus;                               // where from: "the system bus"
    std::uint64_t now = 0;                         // µs since 1970
    bool unicode = true;
};

// As many lines as the size has rows, none wider than it has columns.
[[nodiscard]] std::vector<TopLine> top_lines(const TopScene& scene, TopSize size);

}  // namespace shorewatch::ctl
