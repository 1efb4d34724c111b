#include "dbus/ctl/table.h"

#include <algorithm>
#include <numeric>

#include "dbus/ctl/columns.h"

namespace shorewatch::ctl {

namespace {

constexpr std::size_t gap = 2;            // spaces between columns
constexpr std::size_t least_columns = 8;  // what shrinking leaves of a column
// Where nothing is cut, longer texts push the rest of their own line to the right, and no other line: one
// name of a megabyte must not make megabytes of spaces of every line.
constexpr std::size_t most_padding = 80;

using Lines = std::vector<std::vector<Cell>>;

std::size_t total(const std::vector<std::size_t>& widths) {
    return std::accumulate(widths.begin(), widths.end(), (widths.size() - 1) * gap);
}

// The widest column that may still shrink, or widths.size().
std::size_t widest(const std::vector<std::size_t>& widths, const std::vector<Column>& columns) {
    std::size_t found = widths.size();
    for (std::size_t i = 0; i < widths.size(); ++i) {
        if (!columns[i].shrinks || widths[i] <= least_columns) continue;
        if (found == widths.size() || widths[i] > widths[found]) found = i;
    }
    return found;
}

void fit(std::vector<std::size_t>& widths, const std::vector<Column>& columns, std::size_t room) {
    while (total(widths) > room) {
        const std::size_t column = widest(widths, columns);
        if (column == widths.size()) break;
        --widths[column];
    }
    while (widths.size() > 1 && total(widths) > room) {
        const std::size_t before = total(widths) - widths.back();
        if (before < room) {
            widths.back() = room - before;
            return;
        }
        widths.pop_back();
    }
    widths.front() = std::min(widths.front(), room);
}

std::string line_of(const std::vector<Cell>& cells, const std::vector<Column>& columns,
                    const std::vector<std::size_t>& widths, const Style& style) {
    std::string line;
    std::size_t missing = 0;  // spaces owed before the next text: none are left at the end of a line
    for (std::size_t i = 0; i < widths.size(); ++i) {
        const std::string text =
            style.width ? cut_to(cells[i].text, widths[i], style.unicode) : cells[i].text;
        const std::size_t rest = widths[i] - std::min(widths[i], columns_of(text));
        if (!text.empty()) {
            line.append(missing + (columns[i].right ? rest : 0), ' ');
            line += coloured(text, cells[i].tone, style);
            missing = columns[i].right ? 0 : rest;
        } else {
            missing += rest;
        }
        missing += gap;
    }
    return line += '\n';
}

}  // namespace

void Table::add_row(std::vector<Cell> cells) {
    cells.resize(columns_.size());
    rows_.push_back(std::move(cells));
}

std::string Table::render(const Style& style) const {
    if (columns_.empty()) return {};
    Lines lines;
    auto& heading = lines.emplace_back();
    for (const Column& column : columns_)
        heading.push_back({column.title, Tone::strong});
    for (const auto& row : rows_) {
        auto& line = lines.emplace_back();
        for (const Cell& cell : row)
            line.push_back({shown(cell.text, style), cell.tone});
    }
    std::vector<std::size_t> widths(columns_.size(), 0);
    for (const auto& line : lines) {
        for (std::size_t i = 0; i < widths.size(); ++i)
            widths[i] = std::max(widths[i], columns_of(line[i].text));
    }
    if (style.width) {
        fit(widths, columns_, *style.width);
    } else {
        for (std::size_t& width : widths)
            width = std::min(width, most_padding);
    }
    std::string result;
    for (const auto& line : lines)
        result += line_of(line, columns_, widths, style);
    return result;
}

}  // namespace shorewatch::ctl
