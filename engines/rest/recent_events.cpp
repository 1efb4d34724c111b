#include "engines/rest/recent_events.h"

#include <algorithm>

namespace shorewatch::rest {

bool RecentEvents::is_new(const ContainerEvent& event) {
    return remember(event.time, event.type, event.container->id);
}

bool RecentEvents::is_new_rotation(RealTime time) {
    return remember(time, std::nullopt, {});
}

bool RecentEvents::remember(RealTime time, std::optional<ContainerEvent::Type> type, const std::string& id) {
    // Times are compared first and rarely equal: a thousand numbers, about a microsecond.
    const auto same = [&](const Key& key) { return key.time == time && key.type == type && key.id == id; };
    if (std::ranges::any_of(keys_, same)) return false;
    Key key{time, type, id};
    if (keys_.size() < capacity) {
        keys_.push_back(std::move(key));
    } else {
        keys_[oldest_] = std::move(key);
        oldest_ = (oldest_ + 1) % capacity;
    }
    return true;
}

}  // namespace shorewatch::rest
