#include "dbus/ctl/top/event_pane.h"

#include <algorithm>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "dbus/ctl/columns.h"
#include "dbus/ctl/time_format.h"

namespace shorewatch::ctl {

namespace {

using Kind = WatchEvent::Kind;

Tone tone_of(const WatchEvent& event) {
    switch (event.kind) {
        case Kind::started:
        case Kind::unpaused:
        case Kind::daemon_up:
            return Tone::good;
        case Kind::paused:
        case Kind::daemon_awaited:
            return Tone::warning;
        case Kind::daemon_down:
            return Tone::bad;
        case Kind::exited:
            return find<std::int32_t>(event.details, "ExitCode") == 0 ? Tone::plain : Tone::bad;
        case Kind::engine_state:
            if (event.state == "watching") return Tone::good;
            return event.state == "lost" || event.state == "unavailable" ? Tone::bad : Tone::warning;
        default:
            return Tone::plain;
    }
}

std::string or_dash(const std::string& text) {
    return text.empty() ? "-" : text;
}

std::string name_of(const TopSubject& subject, const TopScene& scene) {
    if (!subject.container.empty()) {
        const TopContainer* const container = scene.model.find(subject.container);
        if (container != nullptr) return container->name;
        // It is over: its events have its name.
        const auto& events = scene.model.events();
        const auto found = std::find_if(events.rbegin(), events.rend(),
                                        [&](const WatchEvent& event) { return subject.concerns(event); });
        return found == events.rend() ? "a container that is over" : found->name;
    }
    if (!subject.project) return "engine " + subject.engine;
    return subject.project->empty() ? "those without a project" : "project " + *subject.project;
}

// What there is to know of the container that is followed.
std::vector<TopLine> facts(const TopScene& scene, const Style& style) {
    const TopContainer* const container = scene.model.find(scene.state.followed->container);
    if (container == nullptr) return {};
    const auto line = [&](const std::string& text) { return TopLine{{shown(text, style), Tone::faint}}; };
    return {line(fmt::format("id {}", container->id)),
            line(fmt::format("image {}, started {}", or_dash(container->image),
                             local_date_time(container->started_at))),
            line(fmt::format("cgroup {}", or_dash(container->cgroup)))};
}

TopLine title(const TopScene& scene, const Style& style) {
    std::string text = "EVENTS";
    if (scene.state.followed) text += " of " + shown(name_of(*scene.state.followed, scene), style);
    TopLine line{{std::move(text), Tone::strong}};
    if (scene.state.followed) line.push_back({"  f or Escape shows all", Tone::faint});
    return line;
}

}  // namespace

std::vector<TopLine> event_pane(const TopScene& scene, std::size_t rows, const Style& style) {
    std::vector<TopLine> lines{title(scene, style)};
    lines.reserve(rows + 1);
    if (scene.state.followed) {
        for (TopLine& line : facts(scene, style))
            lines.push_back(std::move(line));
    }
    const std::size_t room = rows + 1 - std::min(rows + 1, lines.size());
    std::vector<TopLine> latest;
    latest.reserve(room);
    const auto& events = scene.model.events();
    for (auto event = events.rbegin(); event != events.rend() && latest.size() < room; ++event) {
        const bool wanted = scene.state.followed ? scene.state.followed->concerns(*event)
                                                 : passes(*event, scene.state.filter);
        if (wanted) latest.push_back({{event_text(*event, style), tone_of(*event)}});
    }
    std::move(latest.rbegin(), latest.rend(), std::back_inserter(lines));
    return lines;
}

}  // namespace shorewatch::ctl
