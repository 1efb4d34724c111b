#include "dbus/ctl/top/rows.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <utility>

namespace shorewatch::ctl {

namespace {

using Kind = WatchEvent::Kind;
using Members = std::vector<const TopContainer*>;
using ByEngine = std::map<std::string, std::map<std::string, Members>>;

char lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool holds(std::string_view text, std::string_view wanted) {
    const auto same = [](char one, char other) { return lower(one) == lower(other); };
    return std::search(text.begin(), text.end(), wanted.begin(), wanted.end(), same) != text.end();
}

std::string place(const std::string& engine, const std::string& project, const std::string& name) {
    std::string text = engine;
    text.append("/").append(project).append("/").append(name);
    return text;
}

bool begins(std::string_view text, std::string_view wanted) {
    return holds(text.substr(0, wanted.size()), wanted);
}

bool passes(const TopContainer& container, std::string_view filter) {
    return holds(place(container.engine, container.project, container.name), filter) ||
           holds(container.image, filter) || begins(container.id, filter);
}

bool is_of_daemon(const WatchEvent& event) {
    return event.kind == Kind::daemon_awaited || event.kind == Kind::daemon_up ||
           event.kind == Kind::daemon_down;
}

void add_projects(std::vector<TopRow>& rows, const std::string& engine,
                  const std::map<std::string, Members>& projects) {
    for (auto project = projects.begin(); project != projects.end(); ++project) {
        const bool last_project = std::next(project) == projects.end();
        TopRow title;
        title.subject = {engine, project->first, {}};
        title.last = last_project;
        rows.push_back(std::move(title));
        for (const TopContainer* container : project->second) {
            TopRow row;
            row.subject = {engine, project->first, container->path};
            row.container = container;
            row.last = container == project->second.back();
            row.last_project = last_project;
            rows.push_back(std::move(row));
        }
    }
}

}  // namespace

bool TopSubject::concerns(const WatchEvent& event) const {
    if (!container.empty()) return event.path == container;
    if (event.engine != engine) return false;
    return !project || (event.kind != Kind::engine_state && event.project == *project);
}

bool passes(const WatchEvent& event, std::string_view filter) {
    if (filter.empty() || is_of_daemon(event)) return true;
    if (event.kind == Kind::engine_state) return holds(event.engine, filter);
    return holds(place(event.engine, event.project, event.name), filter) || begins(event.id, filter);
}

std::vector<TopRow> top_rows(const TopModel& model, std::string_view filter) {
    ByEngine tree;
    for (const auto& [name, engine] : model.engines()) {
        if (holds(name, filter)) tree[name];
    }
    for (const TopContainer* container : model.containers()) {
        if (passes(*container, filter)) tree[container->engine][container->project].push_back(container);
    }
    std::vector<TopRow> rows;
    rows.reserve(2 * model.container_total() + tree.size());
    for (const auto& [engine, projects] : tree) {
        TopRow row;
        row.subject = {engine, std::nullopt, {}};
        const auto known = model.engines().find(engine);
        if (known != model.engines().end()) row.engine = &known->second;
        rows.push_back(std::move(row));
        add_projects(rows, engine, projects);
    }
    return rows;
}

}  // namespace shorewatch::ctl
