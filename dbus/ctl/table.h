// A table of text for people: aligned by columns, fitted to the terminal.
#pragma once

#include <string>
#include <vector>

#include "dbus/ctl/terminal.h"

namespace shorewatch::ctl {

struct Column {
    std::string title;
    bool shrinks = false;  // may be cut, down to a few columns, when the terminal is narrow
    bool right = false;    // numbers
};

struct Cell {
    std::string text;  // raw: whatever it holds, it is shown harmlessly
    Tone tone = Tone::plain;
};

class Table {
  public:
    explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}

    // As many cells as there are columns; missing ones are empty.
    void add_row(std::vector<Cell> cells);

    // The heading and the rows, each with a newline at its end. Where style has a width no line is wider:
    // first the widest of the columns that may shrink are cut, then columns fall off on the right.
    [[nodiscard]] std::string render(const Style& style) const;

  private:
    std::vector<Column> columns_;
    std::vector<std::vector<Cell>> rows_;
};

}  // namespace shorewatch::ctl
