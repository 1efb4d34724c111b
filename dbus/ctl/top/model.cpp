#include "dbus/ctl/top/model.h"

#include <algorithm>
#include <tuple>
#include <utility>

namespace shorewatch::ctl {

namespace {

using Kind = WatchEvent::Kind;

// Of a start, or of one that was there: the one has the daemon's details, the other all properties.
TopContainer container_of(const WatchEvent& event) {
    TopContainer container;
    container.path = event.path;
    container.id = event.id;
    container.name = event.name;
    container.engine = event.engine;
    container.project = event.project;
    const Properties& details = event.details;
    container.image = find<std::string>(details, "Image").value_or("");
    container.cgroup = find<std::string>(details, "CgroupPath").value_or("");
    container.pid = find<std::uint32_t>(details, "PID").value_or(0);
    const char* const since = event.kind == Kind::present ? "StartedAt" : "Timestamp";
    container.started_at = find<std::uint64_t>(details, since).value_or(0);
    container.paused = find<bool>(details, "Paused").value_or(false);
    return container;
}

}  // namespace

void TopModel::apply(const WatchEvent& event) {
    switch (event.kind) {
        case Kind::present:
            listed_.insert_or_assign(event.path, container_of(event));
            return;
        case Kind::synchronized:
            containers_ = std::exchange(listed_, {});
            link_ = Link::live;
            return;
        case Kind::daemon_awaited:
            link_ = Link::awaited;
            reason_ = event.reason;
            break;
        case Kind::daemon_up:
            link_ = Link::connecting;
            break;
        case Kind::daemon_down:
            link_ = Link::down;
            break;
        default:
            apply_change(event);
    }
    remember(event);
}

void TopModel::apply_change(const WatchEvent& event) {
    if (event.kind == Kind::engine_state) {
        TopEngine& engine = engines_[event.engine];
        engine.name = event.engine;
        engine.state = event.state;
        engine.last_error = ctl::find<std::string>(event.details, "LastError").value_or("");
        return;
    }
    if (event.kind == Kind::started) {
        containers_.insert_or_assign(event.path, container_of(event));
        return;
    }
    const auto found = containers_.find(event.path);
    if (found == containers_.end()) return;
    if (event.kind == Kind::exited) {
        containers_.erase(found);
    } else if (event.kind == Kind::renamed) {
        found->second.name = event.name;
    } else {
        found->second.paused = event.kind == Kind::paused;
    }
}

void TopModel::remember(const WatchEvent& event) {
    events_.push_back(event);
    if (events_.size() > most_events) events_.pop_front();
}

void TopModel::set_engines(const std::vector<EngineInfo>& engines) {
    engines_known_ = true;
    engines_.clear();
    for (const EngineInfo& info : engines)
        engines_[info.name] = {info.name, info.state, info.version, info.last_error};
    std::erase_if(containers_, [this](const auto& entry) { return !engines_.contains(entry.second.engine); });
}

void TopModel::bus_lost(std::string reason) {
    link_ = Link::bus_gone;
    reason_ = std::move(reason);
    listed_.clear();
}

TopModel::Link TopModel::link() const noexcept {
    return link_ == Link::live && !engines_known_ ? Link::connecting : link_;
}

std::size_t TopModel::paused_total() const noexcept {
    const auto is_paused = [](const auto& entry) { return entry.second.paused; };
    return static_cast<std::size_t>(std::count_if(containers_.begin(), containers_.end(), is_paused));
}

std::vector<const TopContainer*> TopModel::containers() const {
    std::vector<const TopContainer*> sorted;
    sorted.reserve(containers_.size());
    for (const auto& [path, container] : containers_)
        sorted.push_back(&container);
    std::sort(sorted.begin(), sorted.end(), [](const TopContainer* one, const TopContainer* other) {
        return std::tie(one->engine, one->project, one->name, one->id) <
               std::tie(other->engine, other->project, other->name, other->id);
    });
    return sorted;
}

const TopContainer* TopModel::find(const std::string& path) const {
    const auto found = containers_.find(path);
    return found == containers_.end() ? nullptr : &found->second;
}

}  // namespace shorewatch::ctl
