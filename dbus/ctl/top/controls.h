// What keys do: from one state of the screen to the next, and what is to be asked of the daemon. Pure.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "dbus/ctl/terminal.h"
#include "dbus/ctl/top/rows.h"

namespace shorewatch::ctl {

struct TopKey {
    enum class Code {
        character,
        up,
        down,
        page_up,
        page_down,
        home,
        end,
        enter,
        escape,
        backspace,
        other,  // does nothing
    };

    Code code = Code::other;
    std::string text;  // of a character, in UTF-8
};

struct TopAction {
    enum class What { quit, pause, unpause, stop };

    What what = What::quit;
    std::string path;  // of the container's object
    std::string name;
};

// What the user has set. The rest of the screen follows from it and the model.
struct TopState {
    enum class Mode { browse, filter, confirm_stop, help };

    Mode mode = Mode::browse;
    std::string filter;
    std::string filter_before;  // while a filter is typed: what Escape brings back
    TopSubject selected;
    std::size_t index = 0;  // of the selected row: where to stay when its subject goes
    std::size_t first = 0;  // the row at the top
    std::optional<TopSubject> followed;
    TopAction to_stop;  // while it is asked about
    std::string status;
    Tone status_tone = Tone::plain;
};

struct TopReaction {
    TopState state;
    std::optional<TopAction> action;
};

// page: how many rows are shown.
[[nodiscard]] TopReaction react(TopState state, const TopKey& key, const TopModel& model, std::size_t page);

// After the model, the filter or the size has changed: something is selected that is there, and it is shown.
[[nodiscard]] TopState settled(TopState state, const std::vector<TopRow>& rows, std::size_t page);

}  // namespace shorewatch::ctl
