// Finds engines in containers, as those of Docker in Docker or of a kind node: by the well-known sockets
// below the root folder of each container, those that are there, and those that appear, by inotify.
//
// Containers' file systems are their own business: links in them are followed within them, and a socket of
// this host that is mounted into a container is no engine in it.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include <sys/stat.h>

#include "daemon/configuration.h"
#include "daemon/discovery.h"
#include "daemon/inotify.h"
#include "engines/container.h"
#include "engines/support/event_loop.h"
#include "engines/support/process.h"

namespace shorewatch {

class NestedDiscovery {
  public:
    // Is this the socket of an engine that is known already?
    using IsKnown = std::function<bool(const struct stat&)>;

    // Tells what it finds from within container_started(), and later on the loop. observer outlives it.
    // Throws std::system_error when inotify is not to be had.
    NestedDiscovery(EventLoop& loop, DiscoveryObserver& observer, IsKnown is_known);
    NestedDiscovery(const NestedDiscovery&) = delete;
    NestedDiscovery& operator=(const NestedDiscovery&) = delete;
    ~NestedDiscovery() = default;

    // Of an engine on this host; a container without a pid is of no interest.
    void container_started(const std::string& engine, const Container& container);
    // The engines in it are told as gone.
    void container_exited(const std::string& engine, const std::string& id);
    // So are those in all its containers.
    void engine_removed(const std::string& engine);

  private:
    struct Place {
        Holder holder;
        Process process;                   // the container's initial one
        std::set<int> watches;             // of inotify
        std::set<std::string> sockets;     // at which engines were found …
        std::vector<std::string> engines;  // … by name
    };
    using Places = std::map<Holder, Place>;

    void look(Place& place);
    void watch(Place& place, const std::string& folder);
    void forget(Places::iterator place);
    void on_readable();
    void take_events();

    DiscoveryObserver& observer_;
    IsKnown is_known_;
    Places places_;
    std::set<std::string> names_;               // of engines, in all places
    std::map<int, std::set<Holder>> watchers_;  // of each inotify watch: folders may be shared by containers
    EventLoop& loop_;
    Inotify inotify_;
    Timer calm_;          // between an event and the look at what came of it …
    EventSource source_;  // … in which events are left unread: containers may make as many as they like
};

}  // namespace shorewatch
