// Finds engines by their well-known sockets: those that are there, and those that appear, by inotify.
//
// An engine is told once. It is not told of when its socket goes: whoever watches it waits for its return.
// Only the engines of a user whose runtime folder goes, as it does with the last log-out, are told as gone.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <sys/types.h>

#include "daemon/configuration.h"
#include "daemon/folder_watch.h"
#include "daemon/socket_watch.h"
#include "engines/support/event_loop.h"
#include "engines/support/process.h"

namespace shorewatch {

struct DiscoveredEngine {
    // The type, with the user's id if it is a user's, or the container's if it is in one: "docker",
    // "podman-1000", "docker-in-3f2a9c01d4e8".
    std::string name;
    std::string type;
    std::filesystem::path socket;
    // Of an engine in a container: its initial process, below whose root folder the socket is, and the
    // container.
    std::optional<Process> inside = {};
    std::optional<Holder> holder = {};
    // Whose it may be besides root's.
    std::optional<std::uint32_t> user = {};
};

class DiscoveryObserver {
  public:
    virtual void engine_found(const DiscoveredEngine& engine) = 0;
    virtual void engine_gone(const std::string& name) = 0;

  protected:
    ~DiscoveryObserver() = default;
};

class Discovery {
  public:
    struct Places {
        std::filesystem::path system;  // "/run"; empty: the system's engines are not looked for
        std::filesystem::path users;   // "/run/user", with a folder for each user's id; empty: no user's are
        std::filesystem::path own;     // $XDG_RUNTIME_DIR; empty: the own user's are not
    };

    // Tells what it finds from within start() and later on the loop. observer outlives it.
    Discovery(EventLoop& loop, Places places, DiscoveryObserver& observer);
    Discovery(const Discovery&) = delete;
    Discovery& operator=(const Discovery&) = delete;
    ~Discovery() = default;

    void start();

  private:
    // A socket that is waited for.
    struct Candidate {
        DiscoveredEngine engine;
        std::unique_ptr<SocketWatch> watch;
        bool found = false;
    };

    void add_system(const std::filesystem::path& folder);
    void add_users(const std::filesystem::path& folder, const std::string& suffix, std::optional<uid_t> user);
    void add(DiscoveredEngine engine);
    void look(Candidate& candidate);
    void wait(Candidate& candidate);
    void look_for_users();
    void forget_user(uid_t user);
    // Does the path lead to the socket of another candidate, as /run/docker.sock does with podman-docker?
    [[nodiscard]] bool leads_elsewhere(const Candidate& candidate) const;

    EventLoop& loop_;
    Places places_;
    DiscoveryObserver& observer_;
    std::vector<std::unique_ptr<Candidate>> candidates_;
    std::optional<FolderWatch> users_watch_;
};

}  // namespace shorewatch
