#include "dbus/ctl/top/view.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "dbus/ctl/columns.h"
#include "dbus/ctl/time_format.h"
#include "dbus/ctl/top/event_pane.h"
#include "dbus/ctl/top/help_page.h"
#include "dbus/ctl/top/tree_pane.h"

namespace shorewatch::ctl {

namespace {

using Link = TopModel::Link;
using Mode = TopState::Mode;

// The line at the top, that of the titles, and that of the keys.
constexpr std::size_t fixed_rows = 3;
// What the tree has before there is room for events.
constexpr std::size_t least_tree = 6;

std::string counted(std::size_t count, std::string_view what) {
    return fmt::format("{} {}{}", count, what, count == 1 ? "" : "s");
}

TopCell link_cell(const TopScene& scene) {
    const std::string& reason = scene.model.reason();
    switch (scene.model.link()) {
        case Link::connecting:
            return {"listing what is there", Tone::warning};
        case Link::live:
            break;
        case Link::awaited:
            return {"waiting for the daemon: " + reason, Tone::warning};
        case Link::down:
            return {"the daemon went, waiting for it to come back; this is what there was", Tone::bad};
        case Link::bus_gone:
            return {"the bus is gone, trying again: " + reason, Tone::bad};
    }
    std::string text = fmt::format("{}, {}", counted(scene.model.engines().size(), "engine"),
                                   counted(scene.model.container_total(), "container"));
    const std::size_t paused = scene.model.paused_total();
    if (paused > 0) text += fmt::format(" ({} paused)", paused);
    return {std::move(text), Tone::good};
}

TopLine header(const TopScene& scene, const Style& style) {
    TopLine line{{"shorewatch", Tone::strong}, {"  " + shown(scene.bus, style) + "  ", Tone::faint}};
    TopCell link = link_cell(scene);
    link.text = shown(link.text, style);
    line.push_back(std::move(link));
    if (!scene.state.filter.empty() && scene.state.mode != Mode::filter)
        line.push_back({"  filter: " + shown(scene.state.filter, style), Tone::warning});
    return line;
}

TopLine footer(const TopScene& scene, const Style& style) {
    const TopState& state = scene.state;
    if (state.mode == Mode::filter)
        return {{"filter: " + shown(state.filter, style)},
                {" ", Tone::plain, true},
                {"  Enter keeps it, Escape drops it", Tone::faint}};
    if (state.mode == Mode::confirm_stop)
        return {{fmt::format("stop {}? y/n", shown(state.to_stop.name, style)), Tone::warning}};
    if (!state.status.empty()) return {{shown(state.status, style), state.status_tone}};
    return {{"q quit  ? help  j/k move  / filter  f follow  p pause  s stop", Tone::faint}};
}

// No wider than the screen; a reversed line is reversed up to its end.
TopLine fitted(TopLine line, std::size_t columns, bool unicode) {
    TopLine result;
    result.reserve(line.size() + 1);
    std::size_t room = columns;
    for (TopCell& cell : line) {
        if (room == 0) break;
        std::string text = cut_to(cell.text, room, unicode);
        room -= std::min(room, columns_of(text));
        // What was cut has the ellipsis at its end, and nothing after it.
        const bool cut = text.size() != cell.text.size();
        result.push_back({std::move(text), cell.tone, cell.reversed});
        if (cut) break;
    }
    const bool whole =
        std::all_of(line.begin(), line.end(), [](const TopCell& cell) { return cell.reversed; });
    if (!line.empty() && whole) result.push_back({std::string(room, ' '), Tone::plain, true});
    return result;
}

void append(std::vector<TopLine>& lines, std::vector<TopLine> more, std::size_t count) {
    more.resize(count);
    for (TopLine& line : more)
        lines.push_back(std::move(line));
}

}  // namespace

TopLayout top_layout(TopSize size, const TopState& state) {
    TopLayout layout{size, size.rows - std::min(size.rows, fixed_rows), 0};
    // A title above the events.
    if (layout.tree < least_tree + 2) return layout;
    const std::size_t room = layout.tree - least_tree - 1;
    // The events are a quarter of the screen, or half of it where somebody follows them.
    layout.events = std::min(room, state.followed ? size.rows / 2 : size.rows / 4);
    layout.tree -= layout.events + 1;
    return layout;
}

std::vector<TopLine> top_lines(const TopScene& scene, TopSize size) {
    const Style style{.colour = false, .unicode = scene.unicode, .width = size.columns};
    const TopLayout layout = top_layout(size, scene.state);
    std::vector<TopLine> lines;
    lines.reserve(size.rows + fixed_rows);
    lines.push_back(header(scene, style));
    if (scene.state.mode == Mode::help) {
        append(lines, help_page(), size.rows - std::min<std::size_t>(size.rows, 2));
    } else {
        append(lines, tree_pane(scene, layout.tree, style), layout.tree + 1);
        if (layout.events > 0) append(lines, event_pane(scene, layout.events, style), layout.events + 1);
    }
    lines.push_back(footer(scene, style));
    // Of a screen that is too small for it, the keys are the last to go.
    if (lines.size() > size.rows)
        lines.erase(lines.begin(), lines.end() - static_cast<std::ptrdiff_t>(size.rows));
    for (TopLine& line : lines)
        line = fitted(std::move(line), size.columns, scene.unicode);
    return lines;
}

}  // namespace shorewatch::ctl
