// What a fake Docker engine has: containers with their runs, and the events that acting on them makes.
//
// Orders and attributes are those of dockerd 20.10, as recorded from a real one. Not thread-safe: FakeDocker
// guards it.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "engines/support/timestamp.h"

namespace shorewatch::fakes {

// What a test says of a container that it creates. Texts may hold any bytes.
struct ContainerSpec {
    std::string name = {};  // empty: the id's first 12 characters
    std::vector<std::pair<std::string, std::string>> labels = {};
    std::string image = "busybox";
    bool privileged = false;
    std::string id = {};    // empty: 64 hex digits that no other container has
    std::uint32_t pid = 0;  // of its first run; 0: one that no process of this machine can have
};

struct FakeRun {
    std::uint32_t pid = 0;
    RealTime started;
    std::optional<RealTime> finished;
    int exit_code = 0;
    bool oom_killed = false;
};

struct FakeContainer {
    enum class State { created, running, paused, restarting, exited };

    ContainerSpec spec;  // name and id are filled in; name is the current one
    State state = State::created;
    RealTime created;
    std::vector<FakeRun> runs;

    [[nodiscard]] bool has_process() const noexcept {
        return state == State::running || state == State::paused;
    }
    // In `docker ps`, that is: dockerd's Running.
    [[nodiscard]] bool in_list() const noexcept { return has_process() || state == State::restarting; }
};

struct DockerEvent {
    std::string type = "container";
    std::string action;
    std::string id;
    std::string from = {};  // the image, of containers only
    std::map<std::string, std::string> attributes = {};
    RealTime time = {};
};

class DockerModel {
  public:
    using Events = std::vector<DockerEvent>;

    // Of the wall clock of the engine's host, against ours: to jump.
    void set_clock_offset(std::chrono::nanoseconds offset) noexcept { clock_offset_ = offset; }
    [[nodiscard]] RealTime now() const { return real_time_now() + clock_offset_; }

    // Each returns the events that dockerd would send, in its order. Those that take an id throw
    // std::logic_error when there is no such container or when dockerd would refuse: a mistake of the test.
    Events create(ContainerSpec spec);
    Events start(const std::string& id, std::uint32_t pid = 0);  // of a created, exited or restarting one
    Events die(const std::string& id, int exit_code);
    Events die_to_restart(const std::string& id,
                          int exit_code);            // by restart policy: waits for its next start()
    Events kill(const std::string& id, int signal);  // no death by itself, as of SIGHUP
    Events stop(const std::string& id, int exit_code);
    Events restart(const std::string& id, int exit_code);
    Events pause(const std::string& id);
    Events unpause(const std::string& id);
    Events rename(const std::string& id, const std::string& new_name);
    Events oom(const std::string& id);
    Events remove(const std::string& id);  // as `docker rm -f`
    Events exec(const std::string& id, const std::string& command, int exit_code);
    Events probe_health(const std::string& id);

    // By full id, by a prefix that fits one container only, or by name; null when there is none.
    [[nodiscard]] const FakeContainer* find(const std::string& reference) const;
    // Newest first, as dockerd lists.
    [[nodiscard]] std::vector<const FakeContainer*> containers() const;
    // Of the container that was created last and is not removed.
    [[nodiscard]] const std::string& last_id() const { return ids_.back(); }

  private:
    FakeContainer& get(const std::string& id);
    FakeContainer& get_with_process(const std::string& id);
    [[nodiscard]] DockerEvent event(const FakeContainer& container, std::string action,
                                    std::map<std::string, std::string> attributes = {}) const;
    [[nodiscard]] static DockerEvent network_event(const FakeContainer& container, std::string action,
                                                   RealTime time);

    std::map<std::string, FakeContainer> containers_;
    std::vector<std::string> ids_;  // in the order of creation
    std::uint32_t next_number_ = 1;
    std::chrono::nanoseconds clock_offset_{0};
};

}  // namespace shorewatch::fakes
