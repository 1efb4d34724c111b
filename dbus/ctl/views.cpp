#include "dbus/ctl/views.h"

#include <algorithm>
#include <functional>
#include <map>
#include <utility>

#include <fmt/format.h>

#include "dbus/ctl/columns.h"
#include "dbus/ctl/json_out.h"
#include "dbus/ctl/table.h"
#include "dbus/ctl/time_format.h"

namespace shorewatch::ctl {

namespace {

std::string or_dash(const std::string& text) {
    return text.empty() ? "-" : text;
}

Cell state_of(const ContainerInfo& container) {
    return container.paused ? Cell{"paused", Tone::warning} : Cell{"running", Tone::good};
}

std::string pid_of(const ContainerInfo& container) {
    return container.pid == 0 ? "-" : std::to_string(container.pid);
}

constexpr const char* in_none = "(in no container)";

std::string container_line(const ContainerInfo& container, const Style& style) {
    return fmt::format("{}  {}{}{}  {}", shown(container.name, style), shown(container.engine, style),
                       container.project.empty() ? "" : "/", shown(container.project, style),
                       shown(container.id.substr(0, 12), style));
}

Tone engine_tone(const std::string& state) {
    if (state == "watching") return Tone::good;
    if (state == "lost" || state == "unavailable") return Tone::bad;
    return Tone::warning;
}

// The line, cut to the terminal, and in a tone as a whole.
std::string fitted(const std::string& line, Tone tone, const Style& style) {
    return coloured(style.width ? cut_to(line, *style.width, style.unicode) : line, tone, style) + "\n";
}

struct Branches {
    std::string_view fork;
    std::string_view last;
    std::string_view trunk;
};

Branches branches(const Style& style) {
    return style.unicode ? Branches{"├─ ", "└─ ", "│  "} : Branches{"|- ", "`- ", "|  "};
}

std::string engine_line(const EngineInfo& engine, const Style& style) {
    std::string line = fmt::format("{}  {}", shown(engine.name, style), shown(engine.state, style));
    if (!engine.version.empty()) line += "  " + shown(engine.version, style);
    if (!engine.last_error.empty()) line += "  " + shown(engine.last_error, style);
    return line;
}

using ByProject = std::map<std::string, std::vector<const ContainerInfo*>>;

std::string project_lines(const ByProject& projects, const Style& style) {
    const Branches art = branches(style);
    std::string text;
    for (auto project = projects.begin(); project != projects.end(); ++project) {
        const bool last_project = std::next(project) == projects.end();
        const std::string title = project->first.empty() ? "(no project)" : shown(project->first, style);
        text += fitted(std::string(last_project ? art.last : art.fork) + title, Tone::plain, style);
        const std::string indent(last_project ? "   " : art.trunk);
        for (const ContainerInfo* container : project->second) {
            const bool last = container == project->second.back();
            text += fitted(
                fmt::format("{}{}{}  {}  pid {}", indent, last ? art.last : art.fork,
                            shown(container->name, style), state_of(*container).text, pid_of(*container)),
                container->paused ? Tone::warning : Tone::plain, style);
        }
    }
    return text;
}

// Lines of "Title:  value", for container_details().
class Details {
  public:
    explicit Details(const Style& style) : style_(style) {}

    void line(std::string_view title, const std::string& value) {
        text_ +=
            padded(title.empty() ? "" : std::string(title) + ":", 13) + shown(or_dash(value), style_) + "\n";
    }
    // A value known by its property; taken away from what is left.
    void text(std::string_view title, Properties& left, const std::string& key) {
        line(title, find<std::string>(left, key).value_or(""));
        left.erase(key);
    }
    void yes_no(std::string_view title, Properties& left, const std::string& key) {
        const auto value = find<bool>(left, key);
        line(title, !value ? "" : *value ? "yes" : "no");
        left.erase(key);
    }
    [[nodiscard]] std::string take() { return std::move(text_); }

  private:
    const Style& style_;
    std::string text_;
};

void add_labels(Details& details, Properties& left) {
    const auto labels = find<std::map<std::string, std::string>>(left, "Labels");
    std::string_view title = "Labels";
    if (!labels || labels->empty()) details.line(title, "");
    if (labels) {
        for (const auto& [key, value] : *labels)
            details.line(std::exchange(title, ""), fmt::format("{}={}", key, value));
    }
    if (find<bool>(left, "LabelsTruncated").value_or(false)) {
        details.line("", "(more labels were left out: they are too large)");
    }
    left.erase("Labels");
    left.erase("LabelsTruncated");
}

std::string started_text(const ContainerInfo& container, std::uint64_t now) {
    if (container.started_at == 0) return {};
    return fmt::format("{} ({} ago)", local_date_time(container.started_at), age(container.started_at, now));
}

}  // namespace

std::string container_table(std::vector<ContainerInfo> containers, bool full_ids, std::uint64_t now,
                            const Style& style) {
    std::sort(containers.begin(), containers.end(), shown_before);
    Table table({{"NAME", true},
                 {"ENGINE", true},
                 {"PROJECT", true},
                 {"IMAGE", true},
                 {"PID", false, true},
                 {"STATE"},
                 {"AGE"},
                 {"ID"}});
    for (const ContainerInfo& container : containers) {
        table.add_row({{container.name},
                       {container.engine},
                       {or_dash(container.project)},
                       {or_dash(container.image)},
                       {pid_of(container)},
                       state_of(container),
                       {age(container.started_at, now)},
                       {full_ids ? container.id : container.id.substr(0, 12), Tone::faint}});
    }
    return table.render(style);
}

std::string engine_table(const std::vector<EngineInfo>& engines, std::uint64_t now, const Style& style) {
    Table table({{"NAME", true},
                 {"TYPE"},
                 {"STATE"},
                 {"CONTAINERS", false, true},
                 {"VERSION", true},
                 {"API", true},
                 {"SINCE"},
                 {"ERROR", true}});
    for (const EngineInfo& engine : engines) {
        table.add_row({{engine.name},
                       {engine.type},
                       {engine.state, engine_tone(engine.state)},
                       {std::to_string(engine.container_total)},
                       {or_dash(engine.version)},
                       {engine.api},
                       {age(engine.since, now)},
                       {or_dash(engine.last_error), engine.last_error.empty() ? Tone::plain : Tone::bad}});
    }
    return table.render(style);
}

std::string tree(const std::vector<EngineInfo>& engines, std::vector<ContainerInfo> containers,
                 const Style& style) {
    std::sort(containers.begin(), containers.end(), shown_before);
    std::map<std::string, ByProject> by_engine;
    for (const ContainerInfo& container : containers) {
        by_engine[container.engine][container.project].push_back(&container);
    }
    std::string text;
    for (const EngineInfo& engine : engines) {
        text += fitted(engine_line(engine, style), engine_tone(engine.state), style);
        text += project_lines(by_engine[engine.name], style);
    }
    return text;
}

std::string process_table(const std::vector<ProcessPlace>& places, bool full_ids, const Style& style) {
    Table table({{"PID", false, true}, {"ENGINE", true}, {"PROJECT", true}, {"NAME", true}, {"ID"}});
    for (const ProcessPlace& place : places) {
        if (!place.container) {
            table.add_row({{std::to_string(place.pid)}, {"-"}, {"-"}, {in_none, Tone::warning}, {"-"}});
            continue;
        }
        const ContainerInfo& container = *place.container;
        table.add_row({{std::to_string(place.pid)},
                       {container.engine},
                       {or_dash(container.project)},
                       {container.name},
                       {full_ids ? container.id : container.id.substr(0, 12), Tone::faint}});
    }
    return table.render(style);
}

std::string process_trees(const std::vector<ProcessPlace>& places, const Style& style) {
    const std::string corner(branches(style).last);
    std::string text;
    for (const ProcessPlace& place : places) {
        text += fitted(place.container ? container_line(*place.container, style) : std::string(in_none),
                       place.container ? Tone::strong : Tone::warning, style);
        std::string indent;
        for (const ProcessLink& link : place.chain) {
            const bool put_in = place.entered() && link.pid == place.chain.front().pid;
            text += fitted(fmt::format("{}{}{}  {}{}", indent, corner, link.pid, shown(link.command, style),
                                       put_in ? "  (put into the container from outside)" : ""),
                           Tone::plain, style);
            indent += "   ";
        }
    }
    return text;
}

std::string address_table(const std::vector<Address>& addresses, const Style& style) {
    Table table({{"INTERFACE", true}, {"ADDRESS"}});
    for (const Address& address : addresses)
        table.add_row({{address.interface}, {address.address}});
    return table.render(style);
}

std::string container_details(const ContainerInfo& container, std::uint64_t now, const Style& style) {
    Properties left = container.properties;
    Details details(style);
    details.text("Name", left, "Name");
    details.text("Id", left, "Id");
    details.line("Engine", container.engine);
    details.text("Project", left, "Project");
    details.line("State", state_of(container).text);
    details.line("PID", pid_of(container));
    details.text("Image", left, "Image");
    details.line("Started", started_text(container, now));
    details.yes_no("Privileged", left, "Privileged");
    details.text("Namespace", left, "Namespace");
    details.text("Pod", left, "Pod");
    details.text("Pod id", left, "PodId");
    details.yes_no("Sandbox", left, "Sandbox");
    details.text("Unit", left, "Unit");
    details.text("Cgroup", left, "CgroupPath");
    add_labels(details, left);
    details.line("Object", container.path);
    for (const char* key : {"Engine", "ProjectPath", "Paused", "PID", "StartedAt"})
        left.erase(key);
    for (const auto& [key, value] : left)
        details.line(key, to_json(value));
    return details.take();
}

}  // namespace shorewatch::ctl
