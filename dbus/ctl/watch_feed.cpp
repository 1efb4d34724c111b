#include "dbus/ctl/watch_feed.h"

#include <algorithm>
#include <utility>

namespace shorewatch::ctl {

namespace {

using Kind = WatchEvent::Kind;

WatchEvent plain_event(Kind kind, std::uint64_t now) {
    WatchEvent event;
    event.kind = kind;
    event.received = now;
    return event;
}

WatchEvent present_event(ContainerInfo container, std::uint64_t sequence, std::uint64_t now) {
    WatchEvent event = plain_event(Kind::present, now);
    event.engine = std::move(container.engine);
    event.project = std::move(container.project);
    event.name = std::move(container.name);
    event.id = std::move(container.id);
    event.path = std::move(container.path);
    event.sequence = sequence;
    event.details = std::move(container.properties);
    return event;
}

}  // namespace

bool WatchFilter::matches(const WatchEvent& event) const {
    switch (event.kind) {
        case Kind::synchronized:
        case Kind::daemon_awaited:
        case Kind::daemon_up:
        case Kind::daemon_down:
            return true;
        default:
            break;
    }
    if (engine && event.engine != *engine) return false;
    if (event.kind == Kind::engine_state) return true;
    if (project && event.project != *project) return false;
    return !name || event.name == *name || find<std::string>(event.details, "OldName") == *name;
}

void WatchFeed::daemon_awaited(std::string reason, std::uint64_t now) {
    was_absent_ = true;
    WatchEvent event = plain_event(Kind::daemon_awaited, now);
    event.reason = std::move(reason);
    show_(event);
}

void WatchFeed::daemon_up(std::uint64_t now) {
    listed_ = false;
    waiting_.clear();
    started_at_.clear();
    if (std::exchange(was_absent_, false)) show_(plain_event(Kind::daemon_up, now));
}

void WatchFeed::daemon_down(std::uint64_t now) {
    // What came before the end is true, list or no list; with --since-sync the next list includes it.
    if (!since_sync_) {
        for (WatchEvent& event : std::exchange(waiting_, {}))
            pass_on(std::move(event));
    }
    waiting_.clear();
    was_absent_ = true;
    show_(plain_event(Kind::daemon_down, now));
}

void WatchFeed::listed(std::uint64_t sequence, std::vector<ContainerInfo> containers, std::uint64_t now) {
    std::sort(containers.begin(), containers.end(), shown_before);
    std::size_t matching = 0;
    for (ContainerInfo& container : containers) {
        if (container.started_at != 0) started_at_[container.path] = container.started_at;
        if (!since_sync_) continue;
        const WatchEvent event = present_event(std::move(container), sequence, now);
        if (!filter_.matches(event)) continue;
        ++matching;
        show_(event);
    }
    if (since_sync_) {
        WatchEvent end = plain_event(Kind::synchronized, now);
        end.sequence = sequence;
        end.containers = matching;
        show_(end);
    }
    listed_ = true;
    for (WatchEvent& event : std::exchange(waiting_, {})) {
        if (!since_sync_ || event.sequence > sequence) pass_on(std::move(event));
    }
}

void WatchFeed::signal(WatchEvent event) {
    if (listed_) return pass_on(std::move(event));
    waiting_.push_back(std::move(event));
}

void WatchFeed::pass_on(WatchEvent event) {
    if (event.kind == Kind::started) {
        started_at_.erase(event.path);
        if (const auto time = find<std::uint64_t>(event.details, "Timestamp"))
            started_at_[event.path] = *time;
    } else if (event.kind == Kind::exited) {
        const auto start = started_at_.extract(event.path);
        const auto end = find<std::uint64_t>(event.details, "Timestamp");
        if (start && end && *end >= start.mapped()) event.ran = *end - start.mapped();
    }
    if (filter_.matches(event)) show_(event);
}

}  // namespace shorewatch::ctl
