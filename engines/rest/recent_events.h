// Remembers the last events of an engine, so that those it replays are told once.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "engines/engine_client.h"

namespace shorewatch::rest {

// More than Docker, which keeps 256 events, can replay, and than happen in the overlap that others are asked
// for.
class RecentEvents {
  public:
    static constexpr std::size_t capacity = 1024;

    // False if an event of this container, type and time is among the last ones; otherwise it is now the
    // last.
    [[nodiscard]] bool is_new(const ContainerEvent& event);
    // The same of a rotation of the engine's log of events.
    [[nodiscard]] bool is_new_rotation(RealTime time);

  private:
    struct Key {
        RealTime time;
        std::optional<ContainerEvent::Type> type;  // nothing: a rotation
        std::string id;

        bool operator==(const Key&) const = default;
    };
    [[nodiscard]] bool remember(RealTime time, std::optional<ContainerEvent::Type> type,
                                const std::string& id);

    std::vector<Key> keys_;
    std::size_t oldest_ = 0;  // the next to be replaced once keys_ is full
};

}  // namespace shorewatch::rest
