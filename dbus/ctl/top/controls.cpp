#include "dbus/ctl/top/controls.h"

#include <algorithm>
#include <utility>

namespace shorewatch::ctl {

namespace {

using Code = TopKey::Code;
using Mode = TopState::Mode;
using What = TopAction::What;

bool is(const TopKey& key, std::string_view text) {
    return key.code == Code::character && key.text == text;
}

std::size_t selected_row(const TopState& state, const std::vector<TopRow>& rows) {
    const auto found = std::find_if(rows.begin(), rows.end(),
                                    [&](const TopRow& row) { return row.subject == state.selected; });
    if (found != rows.end()) return static_cast<std::size_t>(found - rows.begin());
    return rows.empty() ? 0 : std::min(state.index, rows.size() - 1);
}

// Where a key moves the selection to; where it is, for a key that moves nothing.
std::size_t moved(std::size_t row, const TopKey& key, std::size_t total, std::size_t page) {
    const std::size_t last = total == 0 ? 0 : total - 1;
    if (key.code == Code::up || is(key, "k")) return row == 0 ? 0 : row - 1;
    if (key.code == Code::down || is(key, "j")) return std::min(row + 1, last);
    if (key.code == Code::page_up) return row - std::min(row, page);
    if (key.code == Code::page_down) return std::min(row + page, last);
    if (key.code == Code::home || is(key, "g")) return 0;
    if (key.code == Code::end || is(key, "G")) return last;
    return row;
}

void select(TopState& state, const std::vector<TopRow>& rows, std::size_t row, std::size_t page) {
    if (rows.empty()) return;
    state.index = row;
    state.selected = rows[row].subject;
    state.first = std::min(state.first, row);
    if (page > 0 && row >= state.first + page) state.first = row + 1 - page;
    // No empty lines at the end while there are rows above.
    state.first = std::min(state.first, rows.size() - std::min(rows.size(), page));
}

void complain(TopState& state, std::string text) {
    state.status = std::move(text);
    state.status_tone = Tone::warning;
}

void follow(TopState& state, const std::vector<TopRow>& rows) {
    if (rows.empty()) return complain(state, "there is nothing to follow");
    if (state.followed == state.selected) return state.followed.reset();
    // Not by assignment, of which GCC 14 warns that it could use what has not been initialized.
    state.followed.emplace(state.selected);
}

std::optional<TopAction> browse(TopState& state, const TopKey& key, const TopModel& model, std::size_t page) {
    const std::vector<TopRow> rows = top_rows(model, state.filter);
    const std::size_t row = selected_row(state, rows);
    select(state, rows, moved(row, key, rows.size(), page), page);
    if (is(key, "q")) return TopAction{What::quit, {}, {}};
    if (is(key, "?")) state.mode = Mode::help;
    if (is(key, "/")) {
        state.mode = Mode::filter;
        state.filter_before = state.filter;
    }
    if (is(key, "f") || key.code == Code::enter) follow(state, rows);
    if (key.code == Code::escape) {
        // One thing at a time, the latest first.
        state.followed ? state.followed.reset() : state.filter.clear();
    }
    if (!is(key, "p") && !is(key, "s")) return std::nullopt;
    const TopContainer* const container = model.find(state.selected.container);
    if (container == nullptr) {
        complain(state, "select a container first: this is of containers");
        return std::nullopt;
    }
    if (is(key, "p"))
        return TopAction{container->paused ? What::unpause : What::pause, container->path, container->name};
    state.mode = Mode::confirm_stop;
    state.to_stop = {What::stop, container->path, container->name};
    return std::nullopt;
}

// Drops the last character, which may be of several bytes.
void drop_last(std::string& text) {
    while (!text.empty()) {
        const auto byte = static_cast<unsigned char>(text.back());
        text.pop_back();
        if ((byte & 0xC0U) != 0x80U) return;
    }
}

void type_filter(TopState& state, const TopKey& key) {
    // Far more than a name has that anybody types.
    constexpr std::size_t longest = 200;
    if (key.code == Code::enter) state.mode = Mode::browse;
    if (key.code == Code::escape) {
        state.mode = Mode::browse;
        state.filter = state.filter_before;
    }
    if (key.code == Code::backspace) drop_last(state.filter);
    if (key.code == Code::character && state.filter.size() < longest) state.filter += key.text;
}

}  // namespace

TopReaction react(TopState state, const TopKey& key, const TopModel& model, std::size_t page) {
    std::optional<TopAction> action;
    state.status.clear();
    state.status_tone = Tone::plain;
    switch (state.mode) {
        case Mode::browse:
            action = browse(state, key, model, page);
            break;
        case Mode::filter:
            type_filter(state, key);
            break;
        case Mode::confirm_stop:
            state.mode = Mode::browse;
            if (is(key, "y") || is(key, "Y")) action = std::exchange(state.to_stop, {});
            break;
        case Mode::help:
            state.mode = Mode::browse;
            if (is(key, "q")) action = TopAction{What::quit, {}, {}};
            break;
    }
    const std::vector<TopRow> rows = top_rows(model, state.filter);
    return {settled(std::move(state), rows, page), std::move(action)};
}

TopState settled(TopState state, const std::vector<TopRow>& rows, std::size_t page) {
    if (rows.empty()) {
        state.first = 0;
        return state;
    }
    select(state, rows, selected_row(state, rows), page);
    return state;
}

}  // namespace shorewatch::ctl
