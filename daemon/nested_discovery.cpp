#include "daemon/nested_discovery.h"

#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>
#include <utility>

#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/stat.h>

#include "daemon/well_known_sockets.h"

namespace shorewatch {

namespace {

// An engine makes its socket some time before it answers there.
constexpr auto delay = std::chrono::milliseconds(50);

// Of 4096 bytes each: all that the kernel keeps unless told otherwise, 16384 events.
constexpr int most_reads = 128;

// As in a short id; the rest is left out of names.
constexpr std::size_t longest_id_in_name = 12;

// "docker-in-3f2a9c01d4e8"; of containerd's "NAMESPACE/ID", the ID counts. No name of an engine of a user's.
std::string name_in(const Holder& holder, std::string_view type) {
    std::string id = holder.id.substr(holder.id.rfind('/') + 1).substr(0, longest_id_in_name);
    for (char& c : id) {
        const bool allowed = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
                             c == '_' || c == '.' || c == '-';
        if (!allowed) c = '_';
    }
    return std::string(type) + "-in-" + id;
}

// A well-known socket in a container.
struct Found {
    std::string_view type;
    std::string path;
    bool is_link = false;
    struct stat status{};
};

bool is_same(const struct stat& one, const struct stat& other) {
    return one.st_ino == other.st_ino && one.st_dev == other.st_dev;
}

std::optional<Found> socket_at(const Process& process, std::string_view type, std::string path) {
    Found found{.type = type, .path = std::move(path)};
    struct stat entry{};
    const UniqueFd file = open_in_root(process, found.path, 0);
    if (!file || fstat(file.get(), &found.status) != 0 || !S_ISSOCK(found.status.st_mode))
        return std::nullopt;
    const UniqueFd name = open_in_root(process, found.path, O_NOFOLLOW);
    found.is_link = name && fstat(name.get(), &entry) == 0 && S_ISLNK(entry.st_mode);
    return found;
}

}  // namespace

NestedDiscovery::NestedDiscovery(EventLoop& loop, DiscoveryObserver& observer, IsKnown is_known)
    : observer_(observer),
      is_known_(std::move(is_known)),
      loop_(loop),
      inotify_("watch for engines in containers"),
      calm_(loop, [this] { take_events(); }) {
    source_ = loop_.on_io(inotify_.fd(), EPOLLIN, [this](std::uint32_t) { on_readable(); });
}

void NestedDiscovery::container_started(const std::string& engine, const Container& container) {
    const auto process = process_with(container.pid);
    if (!process) return;
    Holder holder{engine, container.id};
    const auto [place, added] = places_.try_emplace(holder, Place{holder, *process, {}, {}, {}});
    if (added) look(place->second);
}

void NestedDiscovery::container_exited(const std::string& engine, const std::string& id) {
    const auto place = places_.find(Holder{engine, id});
    if (place != places_.end()) forget(place);
}

void NestedDiscovery::engine_removed(const std::string& engine) {
    auto place = places_.lower_bound(Holder{engine, {}});
    while (place != places_.end() && place->first.engine == engine) {
        forget(place);
        // What is told may have changed everything.
        place = places_.lower_bound(Holder{engine, {}});
    }
}

void NestedDiscovery::forget(Places::iterator place) {
    const Place gone = std::move(place->second);
    places_.erase(place);
    for (const int watch : gone.watches) {
        const auto watchers = watchers_.find(watch);
        if (watchers == watchers_.end()) continue;
        watchers->second.erase(gone.holder);
        if (!watchers->second.empty()) continue;
        inotify_.remove(watch);
        watchers_.erase(watchers);
    }
    for (const std::string& name : gone.engines)
        names_.erase(name);
    for (const std::string& name : gone.engines)
        observer_.engine_gone(name);
}

void NestedDiscovery::look(Place& place) {
    std::vector<Found> sockets;
    for (const WellKnownSocket& socket : well_known_sockets) {
        std::string path = "/run/" + std::string(socket.system);
        // The watch stands before the look: what is made in between makes an event.
        watch(place, path.substr(0, path.rfind('/')));
        if (auto found = socket_at(place.process, socket.type, std::move(path)))
            sockets.push_back(std::move(*found));
    }
    std::vector<DiscoveredEngine> news;
    for (const Found& socket : sockets) {
        // As podman-docker puts Podman's socket in Docker's place.
        const bool is_another = socket.is_link && std::ranges::any_of(sockets, [&](const Found& other) {
                                    return &other != &socket && is_same(other.status, socket.status);
                                });
        if (is_another || place.sockets.contains(socket.path) || is_known_(socket.status)) continue;
        std::string name = name_in(place.holder, socket.type);
        while (!names_.insert(name).second)
            name += "-again";
        place.sockets.insert(socket.path);
        place.engines.push_back(name);
        news.push_back({std::move(name), std::string(socket.type), socket.path, place.process, place.holder});
    }
    // Last: what is told may end this place.
    for (const DiscoveredEngine& engine : news)
        observer_.engine_found(engine);
}

// Or as much of the way to it as there is.
void NestedDiscovery::watch(Place& place, const std::string& folder) {
    constexpr std::uint32_t interesting = IN_CREATE | IN_MOVED_TO | IN_ATTRIB | IN_ONLYDIR;
    for (std::string path = folder;; path.resize(path.rfind('/'))) {
        const UniqueFd fd = open_in_root(place.process, path.empty() ? "/" : path, O_DIRECTORY);
        const int watch = fd ? inotify_.add(name_of(fd), interesting) : -1;
        if (watch >= 0) {
            place.watches.insert(watch);
            watchers_[watch].insert(place.holder);
        }
        if (fd || path.empty()) return;
    }
}

void NestedDiscovery::on_readable() {
    if (calm_.armed()) return;
    calm_.arm_after(delay);
    // Not from within its own call.
    loop_.post([done = std::make_shared<EventSource>(std::move(source_))] {});
}

void NestedDiscovery::take_events() {
    source_ = loop_.on_io(inotify_.fd(), EPOLLIN, [this](std::uint32_t) { on_readable(); });
    std::set<Holder> concerned;
    const auto take = [&](const inotify_event& event, std::string_view) {
        if ((event.mask & IN_Q_OVERFLOW) != 0) {
            for (const auto& [holder, place] : places_)
                concerned.insert(holder);
        }
        const auto watchers = watchers_.find(event.wd);
        if (watchers == watchers_.end()) return;
        concerned.insert(watchers->second.begin(), watchers->second.end());
        // The folder is gone, and its number may be another's soon.
        if ((event.mask & IN_IGNORED) == 0) return;
        for (const Holder& holder : watchers->second)
            places_.at(holder).watches.erase(event.wd);
        watchers_.erase(watchers);
    };
    inotify_.read(take, most_reads);
    for (const Holder& holder : concerned) {
        const auto place = places_.find(holder);
        if (place != places_.end()) look(place->second);
    }
}

}  // namespace shorewatch
