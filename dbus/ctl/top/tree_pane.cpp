#include "dbus/ctl/top/tree_pane.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "dbus/ctl/columns.h"
#include "dbus/ctl/time_format.h"

namespace shorewatch::ctl {

namespace {

// A column beside the names, as wide as what is in it can be; the last one goes first where there is no room.
struct Field {
    std::string_view title;
    std::size_t width;
    bool right;
};
constexpr std::array fields{Field{"STATE", 8, false}, Field{"PID", 8, true}, Field{"UPTIME", 7, true},
                            Field{"CPU %", 6, true}, Field{"MEMORY", 8, true}};
constexpr std::size_t gap = 1;
constexpr std::size_t least_name = 16;

struct Columns {
    std::size_t name;
    std::size_t shown;  // so many of the fields
};

Columns columns_for(std::size_t width) {
    std::size_t used = 0;
    for (const Field& field : fields)
        used += field.width + gap;
    std::size_t shown = fields.size();
    while (shown > 0 && used + least_name > width)
        used -= fields[--shown].width + gap;
    return {width - std::min(width, used), shown};
}

struct Branches {
    std::string_view fork;
    std::string_view last;
    std::string_view trunk;
};

Branches branches(bool unicode) {
    return unicode ? Branches{"├─ ", "└─ ", "│  "} : Branches{"|- ", "`- ", "|  "};
}

std::string name_of(const TopRow& row, const Style& style) {
    const Branches art = branches(style.unicode);
    if (row.container != nullptr) {
        std::string name(row.last_project ? "   " : art.trunk);
        name.append(row.last ? art.last : art.fork);
        const TopContainer& container = *row.container;
        return name.append(shown(container.name.empty() ? container.id : container.name, style));
    }
    if (!row.subject.project) return shown(row.subject.engine, style);
    std::string name(row.last ? art.last : art.fork);
    return name.append(row.subject.project->empty() ? "(no project)" : shown(*row.subject.project, style));
}

Tone engine_tone(std::string_view state) {
    if (state == "watching") return Tone::good;
    return state == "lost" || state == "unavailable" ? Tone::bad : Tone::warning;
}

std::array<TopCell, fields.size()> values_of(const TopContainer& container, const TopScene& scene) {
    const auto usage = scene.usage.find(container.path);
    const TopUsage used = usage == scene.usage.end() ? TopUsage{} : usage->second;
    return {TopCell{container.paused ? "paused" : "running", container.paused ? Tone::warning : Tone::good},
            TopCell{container.pid == 0 ? "-" : std::to_string(container.pid)},
            TopCell{age(container.started_at, scene.now)},
            TopCell{used.cpu ? fmt::format("{:.1f}", *used.cpu) : "-"},
            TopCell{used.memory ? byte_text(*used.memory) : "-"}};
}

void add_values(TopLine& line, const TopContainer& container, const TopScene& scene, std::size_t count) {
    auto values = values_of(container, scene);
    for (std::size_t i = 0; i < count; ++i) {
        line.push_back({std::string(gap, ' ')});
        line.push_back({padded(values[i].text, fields[i].width, fields[i].right), values[i].tone});
    }
}

// What is wrong with an engine takes the room of all columns.
void add_engine(TopLine& line, const TopEngine& engine, const Style& style) {
    const Tone tone = engine_tone(engine.state);
    line.push_back({" " + shown(engine.state, style), tone});
    const std::string& more = engine.last_error.empty() ? engine.version : engine.last_error;
    if (!more.empty())
        line.push_back({"  " + shown(more, style), engine.last_error.empty() ? Tone::faint : tone});
}

TopLine titles(const Columns& columns) {
    TopLine line{{padded("NAME", columns.name), Tone::strong}};
    for (std::size_t i = 0; i < columns.shown; ++i)
        line.push_back({" " + padded(fields[i].title, fields[i].width, fields[i].right), Tone::strong});
    return line;
}

TopLine line_of(const TopRow& row, const TopScene& scene, const Columns& columns, const Style& style) {
    const std::string name = cut_to(name_of(row, style), columns.name, style.unicode);
    TopLine line{{padded(name, columns.name), row.container != nullptr ? Tone::plain : Tone::strong}};
    if (row.container != nullptr) add_values(line, *row.container, scene, columns.shown);
    if (row.engine != nullptr && columns.shown > 0) add_engine(line, *row.engine, style);
    if (row.subject == scene.state.selected) {
        for (TopCell& cell : line)
            cell.reversed = true;
    }
    return line;
}

TopLine nothing_there(const TopScene& scene) {
    if (!scene.state.filter.empty()) return {{"nothing passes the filter; Escape drops it", Tone::faint}};
    if (scene.model.link() == TopModel::Link::live) return {{"no engine is watched", Tone::faint}};
    return {};
}

}  // namespace

std::vector<TopLine> tree_pane(const TopScene& scene, std::size_t rows, const Style& style) {
    const Columns columns = columns_for(*style.width);
    const std::vector<TopRow> all = top_rows(scene.model, scene.state.filter);
    std::vector<TopLine> lines;
    lines.reserve(rows + 1);
    lines.push_back(titles(columns));
    if (all.empty()) lines.push_back(nothing_there(scene));
    for (std::size_t i = scene.state.first; i < all.size() && lines.size() < rows + 1; ++i)
        lines.push_back(line_of(all[i], scene, columns, style));
    return lines;
}

}  // namespace shorewatch::ctl
