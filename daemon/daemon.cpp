#include "daemon/daemon.h"

#include <algorithm>
#include <utility>

#include "engines/engine_factory.h"
#include "engines/support/log.h"

namespace shorewatch {

Daemon::Daemon(EventLoop& loop, std::function<Configuration()> read, std::function<void()> engines_changed)
    : read_(std::move(read)),
      engines_changed_(std::move(engines_changed)),
      queue_(loop, [this](const std::vector<QueuedChange>& changes) { consume(changes); }) {}

Daemon::~Daemon() {
    for (auto& [name, engine] : engines_)
        engine.watcher->stop();
}

void Daemon::apply(const Configuration& configuration) {
    const auto wanted = [&](const EngineConfiguration& present) {
        return std::ranges::find(configuration.engines, present) != configuration.engines.end();
    };
    std::vector<std::string> outdated;
    for (const auto& [name, engine] : engines_) {
        if (!wanted(engine.configuration)) outdated.push_back(name);
    }
    remove(outdated);
    for (const EngineConfiguration& engine : configuration.engines) {
        if (engine.enabled && !engines_.contains(engine.name)) add(engine);
    }
    registry_.configured();
    engines_changed_();
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
        log::info("no longer watching engine " + name + ": the configuration has changed",
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
        engines_changed = engines_changed || std::holds_alternative<EngineChanged>(queued.change);
    }
    if (engines_changed) engines_changed_();
}

}  // namespace shorewatch
