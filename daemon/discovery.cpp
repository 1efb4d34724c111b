#include "daemon/discovery.h"

#include <algorithm>
#include <charconv>
#include <exception>
#include <set>
#include <system_error>
#include <utility>

#include <sys/stat.h>

#include "daemon/well_known_sockets.h"
#include "engines/support/log.h"
#include "engines/support/text.h"

namespace shorewatch {

namespace {

namespace fs = std::filesystem;

// Each logged-in user costs a few inotify instances until their engines are found.
constexpr std::size_t most_users = 32;

std::optional<uid_t> user_of(const fs::path& folder) {
    const std::string name = folder.filename().native();
    uid_t user = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), user);
    if (error != std::errc() || end != name.data() + name.size()) return std::nullopt;
    return user;
}

std::set<uid_t> users_in(const fs::path& folder) {
    std::set<uid_t> users;
    std::error_code error;
    for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
        const auto user = user_of(entry->path());
        if (user && users.size() < most_users) users.insert(*user);
    }
    return users;
}

}  // namespace

Discovery::Discovery(EventLoop& loop, Places places, DiscoveryObserver& observer)
    : loop_(loop), places_(std::move(places)), observer_(observer) {}

void Discovery::start() {
    if (!places_.system.empty()) add_system(places_.system);
    if (!places_.own.empty()) add_users(places_.own, "", std::nullopt);
    if (places_.users.empty()) return;
    try {
        users_watch_.emplace(loop_, places_.users, [this] { look_for_users(); });
    } catch (const std::exception& error) {
        log::warning(std::string(error.what()) + "; users' engines that start later are not found");
    }
    look_for_users();
}

void Discovery::add_system(const fs::path& folder) {
    for (const WellKnownSocket& socket : well_known_sockets)
        add({std::string(socket.type), std::string(socket.type), folder / socket.system});
    // Only now, when all of them are known, can a link from one to another be told.
    for (const auto& candidate : candidates_)
        look(*candidate);
}

void Discovery::add_users(const fs::path& folder, const std::string& suffix, std::optional<uid_t> user) {
    const std::size_t before = candidates_.size();
    for (const WellKnownSocket& socket : well_known_sockets) {
        if (socket.of_a_user.empty()) continue;
        add({.name = std::string(socket.type) + suffix,
             .type = std::string(socket.type),
             .socket = folder / socket.of_a_user,
             .user = user});
    }
    for (std::size_t i = before; i < candidates_.size(); ++i)
        look(*candidates_[i]);
}

void Discovery::add(DiscoveredEngine engine) {
    auto candidate = std::make_unique<Candidate>();
    candidate->engine = std::move(engine);
    candidates_.push_back(std::move(candidate));
}

void Discovery::look(Candidate& candidate) {
    if (candidate.found) return;
    wait(candidate);  // The watch stands before this look: a socket made in between makes an event.
    const fs::path& path = candidate.engine.socket;
    struct stat status{};
    if (::stat(path.c_str(), &status) != 0 || !S_ISSOCK(status.st_mode)) return;
    if (leads_elsewhere(candidate)) return;
    const auto& user = candidate.engine.user;
    if (user && status.st_uid != *user && status.st_uid != 0) {
        return log::warning(printable(path.native()) + " belongs to user " + std::to_string(status.st_uid) +
                            " and is not taken for an engine of user " + std::to_string(*user));
    }
    candidate.found = true;
    // Not from within its own call.
    loop_.post([done = std::shared_ptr<SocketWatch>(std::move(candidate.watch))] {});
    observer_.engine_found(candidate.engine);
}

void Discovery::wait(Candidate& candidate) {
    if (candidate.watch) return;
    try {
        candidate.watch = std::make_unique<SocketWatch>(loop_, candidate.engine.socket,
                                                        [this, &candidate] { look(candidate); });
    } catch (const std::exception& error) {
        log::warning("engine " + candidate.engine.name + ": " + error.what() +
                     "; it is not found if it starts later");
    }
}

bool Discovery::leads_elsewhere(const Candidate& candidate) const {
    std::error_code error;
    const fs::path target = fs::canonical(candidate.engine.socket, error);
    if (error) return false;
    return std::ranges::any_of(candidates_, [&](const auto& other) {
        return other.get() != &candidate && fs::weakly_canonical(other->engine.socket.parent_path(), error) /
                                                    other->engine.socket.filename() ==
                                                target;
    });
}

void Discovery::look_for_users() {
    const std::set<uid_t> present = users_in(places_.users);
    std::set<uid_t> known;
    for (const auto& candidate : candidates_) {
        if (candidate->engine.user) known.insert(*candidate->engine.user);
    }
    for (const uid_t user : known) {
        if (!present.contains(user)) forget_user(user);
    }
    for (const uid_t user : present) {
        if (known.contains(user)) continue;
        const std::string id = std::to_string(user);
        add_users(places_.users / id, "-" + id, user);
    }
}

void Discovery::forget_user(uid_t user) {
    std::vector<std::string> gone;
    for (const auto& candidate : candidates_) {
        if (candidate->engine.user == user && candidate->found) gone.push_back(candidate->engine.name);
    }
    std::erase_if(candidates_, [user](const auto& candidate) { return candidate->engine.user == user; });
    for (const std::string& name : gone)
        observer_.engine_gone(name);
}

}  // namespace shorewatch
