#include "daemon/daemon.h"

#include <algorithm>
#include <filesystem>
#include <stdexcept>
#include <system_error>
#include <utility>

#include <malloc.h>
#include <sys/stat.h>

#include "engines/engine_factory.h"
#include "engines/socket_file.h"
#include "engines/support/log.h"
#include "engines/support/process.h"
#include "engines/support/text.h"

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

// The flag is true while this lives.
class Within {
  public:
    explicit Within(bool& flag) : flag_(flag) { flag_ = true; }
    ~Within() { flag_ = false; }
    Within(const Within&) = delete;
    Within& operator=(const Within&) = delete;

  private:
    bool& flag_;
};

}  // namespace

Daemon::Daemon(EventLoop& loop, bool user, std::function<Configuration()> read,
               std::function<void()> engines_changed, std::function<void()> tasks_changed)
    : loop_(loop),
      user_(user),
      read_(std::move(read)),
      engines_changed_(std::move(engines_changed)),
      queue_(loop, [this](const std::vector<QueuedChange>& changes) { consume(changes); }),
      control_calls_(loop),
      runtime_calls_(loop),
      deployment_calls_(loop),
      tasks_(
          loop, user,
          [this](const std::string& engine, DeploymentRequest request, DeploymentReply reply) {
              deploy(engine, std::move(request), std::move(reply));
          },
          std::move(tasks_changed)) {}

Daemon::~Daemon() {
    for (auto& [name, engine] : engines_)
        engine.watcher->stop();
}

void Daemon::apply(const Configuration& configuration) {
    const bool same = configuration.discover == configuration_.discover &&
                      configuration.discover_users == configuration_.discover_users;
    const bool same_nested = configuration.discover_nested == configuration_.discover_nested;
    configuration_ = configuration;
    {
        // Of what is found right away, watchers are made all at once, at the end.
        const Within within(updating_);
        if (!same) discover();
        if (!same_nested) discover_nested();
    }
    update();
    tasks_.apply(configuration.tasks);
    registry_.configured();
}

void Daemon::discover() {
    std::erase_if(discovered_, [](const EngineConfiguration& engine) { return !engine.holder; });
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

void Daemon::discover_nested() {
    std::erase_if(discovered_, [](const EngineConfiguration& engine) { return engine.holder.has_value(); });
    nested_.reset();
    if (!configuration_.discover_nested) return;
    DiscoveryObserver& observer = *this;
    try {
        nested_.emplace(loop_, observer, [this](const struct stat& socket) { return is_known(socket); });
    } catch (const std::system_error& error) {
        return log::warning(std::string(error.what()) + "; engines in containers are not found");
    }
    for (const auto& [name, engine] : engines_) {
        if (!engine.configuration.endpoint.is_local()) continue;
        registry_.engine(name)->portfolio().for_each([this, &of = name](const ContainerPtr& container) {
            nested_->container_started(of, *container);
        });
    }
}

bool Daemon::is_known(const struct stat& socket) const {
    const auto is_it = [&](const EngineConfiguration& engine) {
        struct stat status{};
        return engine.endpoint.is_local() && stat(SocketFile(engine.endpoint).name().c_str(), &status) == 0 &&
               status.st_ino == socket.st_ino && status.st_dev == socket.st_dev;
    };
    return std::ranges::any_of(configuration_.engines, is_it) || std::ranges::any_of(discovered_, is_it);
}

void Daemon::engine_found(const DiscoveredEngine& engine) {
    EngineConfiguration found;
    found.name = engine.name;
    found.type = engine.type;
    try {
        found.endpoint = Endpoint::parse(engine.socket.native());
        found.endpoint.inside = engine.inside;
        if (engine.user) found.endpoint.user = engine.user;
        found.holder = engine.holder;
    } catch (const std::invalid_argument& error) {
        return log::warning("engine " + engine.name + " can't be watched: " + error.what());
    }
    log::info("found engine " + found.name + " at " + found.endpoint.url(),
              {{"SHOREWATCH_ENGINE", found.name}});
    discovered_.push_back(std::move(found));
    update();
}

void Daemon::engine_gone(const std::string& name) {
    std::erase_if(discovered_, [&](const EngineConfiguration& engine) { return engine.name == name; });
    update();
}

void Daemon::update() {
    update_again_ = true;
    if (updating_) return;
    // An engine that ends takes with it those in its containers.
    while (std::exchange(update_again_, false)) {
        const Within within(updating_);
        std::vector<EngineConfiguration> wanted;
        for (const EngineConfiguration& engine : configuration_.engines) {
            if (engine.enabled) wanted.push_back(engine);
        }
        // Those in containers last: whoever may make containers shall not take the others' place.
        for (const bool nested : {false, true}) {
            for (const EngineConfiguration& engine : discovered_) {
                if (engine.holder.has_value() == nested && wanted.size() < most_engines &&
                    !is_named(engine, configuration_.engines)) {
                    wanted.push_back(engine);
                }
            }
        }
        std::vector<std::string> outdated;
        for (const auto& [name, engine] : engines_) {
            const bool is_wanted = std::ranges::find(wanted, engine.configuration) != wanted.end();
            if (!is_wanted || engine.runtime != runtime_of(engine.configuration)) outdated.push_back(name);
        }
        remove(outdated);
        for (const EngineConfiguration& engine : wanted) {
            if (!engines_.contains(engine.name)) add(engine);
        }
    }
    tell_candidates();
    engines_changed_();
}

void Daemon::tell_candidates() {
    std::vector<TaskHost::Candidate> candidates;
    const auto add = [&](const EngineConfiguration& engine, bool by_itself) {
        if (engines_.contains(engine.name)) candidates.push_back({engine.name, engine.type, by_itself});
    };
    for (const EngineConfiguration& engine : configuration_.engines)
        add(engine, true);
    for (const EngineConfiguration& engine : discovered_)
        add(engine, !engine.holder && engine.name == engine.type);
    tasks_.set_engines(std::move(candidates));
}

void Daemon::drop_double(const std::string& name, const EngineIdentity& identity) {
    const PublishedEngine* engine = registry_.engine(name);
    if (identity.id.empty() || engine == nullptr) return;
    // The larger, the less is an engine's word believed that it is another one.
    const auto rank = [this](const std::string& of) {
        const auto is_it = [&](const EngineConfiguration& one) { return one.name == of; };
        const auto found = std::ranges::find_if(discovered_, is_it);
        if (found == discovered_.end()) return 0;
        return found->holder ? 3 : found->name == found->type ? 1 : 2;
    };
    for (const PublishedEngine* other : registry_.engines()) {
        const bool same =
            other != engine && other->type() == engine->type() && other->status().identity.id == identity.id;
        if (!same) continue;
        const bool other_goes = rank(other->name()) > rank(name);
        const std::string gone = other_goes ? other->name() : name;
        if (rank(gone) == 0) return;  // both were asked for
        log::info(
            "engine " + gone + " is engine " + (other_goes ? name : other->name()) + ", at another socket",
            {{"SHOREWATCH_ENGINE", gone}});
        return engine_gone(gone);
    }
}

void Daemon::add(const EngineConfiguration& configuration) {
    const WatcherNumber number = ++last_number_;
    names_.emplace(number, configuration.name);
    const std::optional<RuntimeSettings> settings = runtime_of(configuration);
    registry_.add_engine(configuration.name, std::string(engine_type_id(configuration.type)),
                         configuration.endpoint.url(), configuration.holder, settings.has_value());
    std::optional<EngineWatch::RuntimeUse> runtime;
    if (settings) {
        const auto tell = [this, number, alive = std::weak_ptr(alive_)](const RuntimeSignal& signal) {
            // By the same way as answers, so that these and what is told stay in order.
            loop_.post([this, number, alive, signal] {
                if (alive.expired()) return;
                const auto found = names_.find(number);
                if (found != names_.end()) registry_.tell(found->second, signal);
            });
        };
        runtime.emplace(EngineWatch::RuntimeUse{*settings, tell});
    }
    std::vector<std::string> namespaces = configuration.namespaces;
    // What is run there is watched, whatever else is.
    if (settings && !namespaces.empty() &&
        std::ranges::find(namespaces, settings->name_space) == namespaces.end())
        namespaces.push_back(settings->name_space);
    auto watcher = std::make_unique<Watcher>(
        configuration.name, configuration.endpoint,
        [configuration, namespaces, has_runtime = settings.has_value()](EventLoop& loop) {
            return make_engine_client(configuration.type, configuration.endpoint, loop,
                                      {.namespaces = namespaces,
                                       .kubernetes = configuration.holder.has_value(),
                                       .runtime = has_runtime});
        },
        [this, number](Change change) { queue_.push(number, std::move(change)); }, &processes_,
        EngineWatch::Timing{}, std::move(runtime), deployment_teller(number, configuration));
    engines_.emplace(configuration.name, Engine{configuration, settings, number, std::move(watcher)});
}

std::optional<RuntimeSettings> Daemon::runtime_of(const EngineConfiguration& engine) const {
    const RuntimeConfiguration& wanted = configuration_.runtime;
    // Its pipes have names on this host, which an engine in a container does not see.
    const bool can = engine.type == "containerd" && !engine.holder && engine.endpoint.is_local();
    if (!wanted.enabled || !can) return std::nullopt;
    return RuntimeSettings{.state = state_folder(user_) / "runtime" / engine.name,
                           .name_space = wanted.name_space,
                           .snapshotter = wanted.snapshotter,
                           .most_containers = wanted.most_containers};
}

void Daemon::remove(const std::vector<std::string>& names) {
    for (const std::string& name : names)
        engines_.at(name).watcher->stop();
    for (const std::string& name : names) {
        const auto found = engines_.find(name);
        const WatcherNumber number = found->second.number;
        names_.erase(number);
        if (found->second.configuration.holder) tell_exits(name);
        engines_.erase(found);
        control_calls_.lose(number, not_watched(name));
        runtime_calls_.lose(number, not_watched(name));
        deployment_calls_.lose(number, not_watched(name));
        tasks_.engine_down(name, not_watched(name));
        registry_.remove_engine(name);
        if (nested_) nested_->engine_removed(name);
        log::info("no longer watching engine " + name +
                      ": it is no longer configured, or its user or container has gone",
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

void Daemon::tell_exits(const std::string& name) {
    std::vector<ContainerPtr> gone;
    registry_.engine(name)->portfolio().for_each([&](const ContainerPtr& container) {
        if (!process_with(container->pid)) gone.push_back(container);
    });
    for (const ContainerPtr& container : gone)
        registry_.apply(name, ContainerExited{container, {}, {}, {}, Cause::resync});
}

void Daemon::consume(const std::vector<QueuedChange>& changes) {
    bool engines_changed = false;
    for (const QueuedChange& queued : changes) {
        // Of a watcher that has ended, there may still be changes in the queue.
        const auto found = names_.find(queued.watcher);
        if (found == names_.end()) continue;
        // Ours: what follows may end that watcher.
        const std::string name = found->second;
        registry_.apply(name, queued.change);
        tasks_.take(name, queued.change);
        if (const auto* started = std::get_if<ContainerStarted>(&queued.change)) {
            follow(name, *started);
        } else if (const auto* exited = std::get_if<ContainerExited>(&queued.change)) {
            follow(name, *exited);
        } else if (const auto* changed = std::get_if<EngineChanged>(&queued.change)) {
            engines_changed = true;
            // What a list and its inspections took is given back once they are through.
            if (changed->status.state == EngineState::watching) loop_.post([] { (void)::malloc_trim(0); });
            drop_double(name, changed->status.identity);
        }
    }
    if (engines_changed) engines_changed_();
}

void Daemon::follow(const std::string& name, const ContainerStarted& change) {
    if (nested_ && engines_.at(name).configuration.endpoint.is_local())
        nested_->container_started(name, *change.container);
}

void Daemon::follow(const std::string& name, const ContainerExited& change) {
    if (nested_) nested_->container_exited(name, change.container->id);
}

}  // namespace shorewatch
