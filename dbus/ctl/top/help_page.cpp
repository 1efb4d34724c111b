#include "dbus/ctl/top/help_page.h"

#include <string>

namespace shorewatch::ctl {

std::vector<TopLine> help_page() {
    const auto key = [](const char* keys, const char* what) {
        return TopLine{{"  "}, {keys, Tone::strong}, {what}};
    };
    return {
        {},
        key("arrows, j, k     ", "move; Page Up, Page Down, Home (g), End (G)"),
        key("p                ", "pause the container, or let a paused one go on"),
        key("s                ", "stop the container, after a question; it has 10 s before it is killed"),
        key("f, Enter         ", "follow: what there is to know of it, and only its events"),
        key("/                ", "filter by engine, project, name, image, or the beginning of an id"),
        key("Escape           ", "follow nothing any more; drop the filter"),
        key("q, Ctrl-C        ", "quit"),
        {},
        {{"  Whether you may pause and stop containers is for polkit to say."}},
        {{"  CPU % is of one processor, and MEMORY without files that could be dropped at"}},
        {{"  once. A dash is what can't be known from here: on another host (-H), of a"}},
        {{"  container that shares its control group, or without the right to read it."}},
        {},
        {{"  Any key goes back."}},
    };
}

}  // namespace shorewatch::ctl
