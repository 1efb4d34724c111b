// What is alive, as `top` knows it: fed with what `watch --since-sync` tells and with lists of engines. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <vector>

#include "dbus/ctl/properties.h"
#include "dbus/ctl/watch_event.h"

namespace shorewatch::ctl {

// A container that is alive.
struct TopContainer {
    std::string path;  // of its object: tells one from all others
    std::string id;
    std::string name;
    std::string engine;
    std::string project;  // empty: none
    std::string image;
    std::string cgroup;  // as the daemon has it; empty: not known
    std::uint32_t pid = 0;
    std::uint64_t started_at = 0;  // µs since 1970; 0: not known
    bool paused = false;
};

struct TopEngine {
    std::string name;
    std::string state;
    std::string version;
    std::string last_error;
};

class TopModel {
  public:
    // How far what is shown can be believed.
    enum class Link {
        connecting,  // not all is known yet
        live,
        awaited,   // no daemon so far
        down,      // the daemon went: what is shown is what there was
        bus_gone,  // the same, and the bus with it
    };

    // How many events are kept.
    static constexpr std::size_t most_events = 500;

    void apply(const WatchEvent& event);
    // All that there are. Containers of others are forgotten: nobody would tell of their ends.
    void set_engines(const std::vector<EngineInfo>& engines);
    // The connection to the bus broke.
    void bus_lost(std::string reason);

    [[nodiscard]] Link link() const noexcept;
    // Why there is no daemon, where that is known.
    [[nodiscard]] const std::string& reason() const noexcept { return reason_; }
    // By name.
    [[nodiscard]] const std::map<std::string, TopEngine>& engines() const noexcept { return engines_; }
    // Sorted by engine, project, name and id.
    [[nodiscard]] std::vector<const TopContainer*> containers() const;
    [[nodiscard]] const TopContainer* find(const std::string& path) const;
    [[nodiscard]] std::size_t container_total() const noexcept { return containers_.size(); }
    [[nodiscard]] std::size_t paused_total() const noexcept;
    // The oldest first; without what was there when it was listed.
    [[nodiscard]] const std::deque<WatchEvent>& events() const noexcept { return events_; }

  private:
    using Containers = std::map<std::string, TopContainer>;

    void apply_change(const WatchEvent& event);
    void remember(const WatchEvent& event);

    Link link_ = Link::connecting;
    std::string reason_;
    bool engines_known_ = false;
    std::map<std::string, TopEngine> engines_;
    Containers containers_;  // by path
    Containers listed_;      // of a list that is coming in
    std::deque<WatchEvent> events_;
};

}  // namespace shorewatch::ctl
