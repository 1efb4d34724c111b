// The lines of the tree: engine, project, container, as far as they pass the filter. Pure.
#pragma once

#include <compare>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "dbus/ctl/top/model.h"

namespace shorewatch::ctl {

// What a line stands for, over all changes of the tree. Without a container it is a project, without a
// project an engine.
struct TopSubject {
    std::string engine;
    std::optional<std::string> project;  // "": those that belong to none
    std::string container;               // its path

    auto operator<=>(const TopSubject&) const = default;
    [[nodiscard]] bool concerns(const WatchEvent& event) const;
};

// Valid as long as the model does not change.
struct TopRow {
    TopSubject subject;
    const TopEngine* engine = nullptr;        // of an engine's row
    const TopContainer* container = nullptr;  // of a container's row
    bool last = false;                        // of its siblings
    bool last_project = false;                // of a container's row: its project is the last of its siblings
};

// filter: what is looked for in "engine/project/name", the image and the beginning of the id, whatever the
// case of ASCII letters. Engines and projects without a match are left out; with an empty filter, none.
[[nodiscard]] std::vector<TopRow> top_rows(const TopModel& model, std::string_view filter);

// The same for events; those of an engine go by its name, those of the daemon always pass.
[[nodiscard]] bool passes(const WatchEvent& event, std::string_view filter);

}  // namespace shorewatch::ctl
