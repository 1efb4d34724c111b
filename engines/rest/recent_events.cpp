#include "engines/rest/recent_events.h"

#include <algorithm>

namespace shorewatch::rest {

bool RecentEvents::is_new(const ContainerEvent& event) {
    // Times are compared first and rarely equal: a thousand numbers, about a microsecond.
    const auto same = [&](const Key& key) {
        return key.time == event.time && key.type == event.type && key.id == event.container->id;
    };
    if (std::ranges::any_of(keys_, same)) return false;
    Key key{event.time, event.type, event.container->id};
    if (keys_.size() < capacity) {
        keys_.push_back(std::move(key));
    } else {
        keys_[oldest_] = std::move(key);
        oldest_ = (oldest_ + 1) % capacity;
    }
    return true;
}

}  // namespace shorewatch::rest
