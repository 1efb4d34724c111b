#include "daemon/daemon.h"

#include <algorithm>
#include <filesystem>
#include <stdexcept>
#include <system_error>
#include <utility>

#include "engines/engine_factory.h"
#include "engines/support/log.h"

namespace shorewatch {

namespace {

namespace fs = std::filesystem;

// Where the unix socket of an endpoint is in the end: /var/run is /run. Empty for others.
fs::path socket_of(const Endpoint& endpoint) {
    if (endpoint.transport != Endpoint::Transport::unix_socket) return {};
    std::error_code error;
    const fs::path path = fs::weakly_canonical(endpoint.socket_path, error);
    return error ? fs::path(endpoint.socket_path) : path;
}

// Is an engine that was discovered one of those that somebody has named?
bool is_named(const EngineConfiguration& discovered, const std::vector<EngineConfiguration>& named) {
    return std::ranges::any_of(named, [&](const EngineConfiguration& engine) {
        return engine.name == discovered.name || socket_of(engine.endpoint) == socket_of(discovered.endpoint);
    });
}

}  // namespace

Daemon::Daemon(EventLoop& loop, bool user, std::function<Configuration()> read,
               std::function<void()> engines_changed)
    : loop_(loop),
      user_(user),
      read_(std::move(read)),
      engines_changed_(std::move(engines_changed)),
      queue_(loop, [this](const std::vector<QueuedChange>& changes) { consume(changes); }) {}

Daemon::~Daemon() {
    for (auto& [name, engine] : engines_)
        engine.watcher->stop();
}

void Daemon::apply(const Configuration& configuration) {
    const bool same = configuration.discover == configuration_.discover &&
                      configuration.discover_users == configuration_.discover_users;
    configuration_ = configuration;
    started_ = false;
    if (!same) discover();
    started_ = true;
    update();
    registry_.configured();
}

void Daemon::discover() {
    discovered_.clear();
    discovery_.reset();
    if (!configuration_.discover) return;
    Discovery::Places places;
    if (user_) {
        places.own = runtime_folder();
    } else {
        places.system = "/run";
        if (configuration_.discover_users) places.users = "/run/user";
    }
    DiscoveryObserver& observer = *this;
    discovery_.emplace(loop_, std::move(places), observer);
    discovery_->start();
}

void Daemon::engine_found(const DiscoveredEngine& engine) {
    EngineConfiguration found;
    found.name = engine.name;
    found.type = engine.type;
    try {
        found.endpoint = Endpoint::parse(engine.socket.native());
    } catch (const std::invalid_argument& error) {
        return log::warning("engine " + engine.name + " can't be watched: " + error.what());
    }
    log::info("found engine " + found.name + " at " + found.endpoint.url(),
              {{"SHOREWATCH_ENGINE", found.name}});
    discovered_.push_back(std::move(found));
    // Of those that start() finds, apply() makes watchers all at once.
    if (started_) update();
}

void Daemon::engine_gone(const std::string& name) {
    std::erase_if(discovered_, [&](const EngineConfiguration& engine) { return engine.name == name; });
    update();
}

void Daemon::update() {
    std::vector<EngineConfiguration> wanted;
    for (const EngineConfiguration& engine : configuration_.engines) {
        if (engine.enabled) wanted.push_back(engine);
    }
    for (const EngineConfiguration& engine : discovered_) {
        if (wanted.size() < most_engines && !is_named(engine, configuration_.engines))
            wanted.push_back(engine);
    }
    std::vector<std::string> outdated;
    for (const auto& [name, engine] : engines_) {
        if (std::ranges::find(wanted, engine.configuration) == wanted.end()) outdated.push_back(name);
    }
    remove(outdated);
    for (const EngineConfiguration& engine : wanted) {
        if (!engines_.contains(engine.name)) add(engine);
    }
    engines_changed_();
}

void Daemon::drop_double(const std::string& name, const EngineIdentity& identity) {
    const PublishedEngine* engine = registry_.engine(name);
    const auto is_it = [&](const EngineConfiguration& one) { return one.name == name; };
    if (identity.id.empty() || engine == nullptr || std::ranges::none_of(discovered_, is_it)) return;
    for (const PublishedEngine* other : registry_.engines()) {
        const bool same =
            other != engine && other->type() == engine->type() && other->status().identity.id == identity.id;
        if (!same) continue;
        log::info("engine " + name + " is engine " + other->name() + ", at another socket",
                  {{"SHOREWATCH_ENGINE", name}});
        return engine_gone(name);
    }
}

void Daemon::add(const EngineConfiguration& configuration) {
    const WatcherNumber number = ++last_number_;
    names_.emplace(number, configuration.name);
    registry_.add_engine(configuration.name, std::string(engine_type_id(configuration.type)),
                         configuration.endpoint.url());
    auto watcher = std::make_unique<Watcher>(
        configuration.name, configuration.endpoint,
        [configuration](EventLoop& loop) {
            return make_engine_client(configuration.type, configuration.endpoint, loop,
                                      {configuration.namespaces});
        },
        [this, number](Change change) { queue_.push(number, std::move(change)); });
    engines_.emplace(configuration.name, Engine{configuration, number, std::move(watcher)});
}

void Daemon::remove(const std::vector<std::string>& names) {
    for (const std::string& name : names)
        engines_.at(name).watcher->stop();
    for (const std::string& name : names) {
        const auto found = engines_.find(name);
        names_.erase(found->second.number);
        engines_.erase(found);
        registry_.remove_engine(name);
        log::info("no longer watching engine " + name + ": it is no longer configured, or its user has gone",
                  {{"SHOREWATCH_ENGINE", name}});
    }
}

void Daemon::reload() {
    apply(read_());
}

void Daemon::resync(std::string_view engine) {
    const auto found = engines_.find(engine);
    if (found != engines_.end()) found->second.watcher->resync();
}

bool Daemon::is_turning() {
    bool all = true;
    for (auto& [name, engine] : engines_) {
        if (engine.watcher->is_turning()) continue;
        all = false;
        log::error("the watcher of engine " + name + " does not turn: the watchdog is not fed",
                   {{"SHOREWATCH_ENGINE", name}});
    }
    return all;
}

void Daemon::consume(const std::vector<QueuedChange>& changes) {
    bool engines_changed = false;
    for (const QueuedChange& queued : changes) {
        // Of a watcher that a reload has ended, there may still be changes in the queue.
        const auto name = names_.find(queued.watcher);
        if (name == names_.end()) continue;
        registry_.apply(name->second, queued.change);
        const auto* changed = std::get_if<EngineChanged>(&queued.change);
        if (changed == nullptr) continue;
        engines_changed = true;
        drop_double(std::string(name->second), changed->status.identity);
    }
    if (engines_changed) engines_changed_();
}

}  // namespace shorewatch
