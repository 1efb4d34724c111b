#include "daemon/registry.h"

#include <algorithm>
#include <utility>

namespace shorewatch {

namespace {

constexpr std::size_t shortest_id_prefix = 4;

bool has_label(const Labels& labels, std::string_view wanted) {
    const std::size_t equals = wanted.find('=');
    if (equals == std::string_view::npos) return labels.find(wanted) != nullptr;
    // A key may itself hold an equals sign: any split that fits will do.
    for (std::size_t at = equals; at != std::string_view::npos; at = wanted.find('=', at + 1)) {
        const std::string* value = labels.find(wanted.substr(0, at));
        if (value != nullptr && *value == wanted.substr(at + 1)) return true;
    }
    return false;
}

// Found out about, one way or the other.
bool is_settled(EngineState state) {
    return state == EngineState::watching || state == EngineState::unavailable || state == EngineState::lost;
}

}  // namespace

bool ContainerFilter::matches(const PublishedEngine& of, const Container& container) const {
    const auto fits = [](const auto& wanted, const auto& actual) { return !wanted || *wanted == actual; };
    if (!fits(engine, of.name()) || !fits(project, container.project) || !fits(name, container.name) ||
        !fits(paused, container.paused)) {
        return false;
    }
    if (pod && (pod->empty() || (*pod != container.pod && *pod != container.pod_id))) return false;
    return std::ranges::all_of(labels,
                               [&](const std::string& label) { return has_label(*container.labels, label); });
}

void Registry::when_ready(std::function<void()> then) {
    if (ready_) return then();
    when_ready_ = std::move(then);
}

void Registry::configured() {
    configured_ = true;
    update_ready();
}

void Registry::add_engine(std::string name, std::string type, std::string api, std::optional<Holder> holder,
                          bool has_runtime) {
    auto engine = std::make_unique<PublishedEngine>(name, std::move(type), std::move(api), std::move(holder),
                                                    has_runtime);
    engine->status_.state = EngineState::connecting;
    engine->status_.since = real_time_now();
    const PublishedEngine& added = *(engines_[std::move(name)] = std::move(engine));
    if (observer_ != nullptr) observer_->engine_added(added);
}

void Registry::remove_engine(std::string_view name) {
    const auto found = engines_.find(name);
    if (found == engines_.end()) return;
    EngineStatus gone = found->second->status_;
    gone.state = EngineState::unavailable;
    gone.last_error = "removed from the configuration";
    gone.since = real_time_now();
    apply_to(*found->second, EngineChanged{gone});
    found->second->portfolio_.for_each(
        [this](const ContainerPtr& container) { label_bytes_ -= container->labels->bytes(); });
    while (!found->second->processes_.empty())
        release(*found->second, std::string(found->second->processes_.begin()->first));
    const std::unique_ptr<PublishedEngine> removed = std::move(found->second);
    engines_.erase(found);
    if (observer_ != nullptr) observer_->engine_removed(*removed);
    update_ready();
}

void Registry::tell(std::string_view engine_name, const RuntimeSignal& signal) {
    const PublishedEngine* const of = engine(engine_name);
    if (of != nullptr && observer_ != nullptr) observer_->runtime_event(*of, signal);
}

void Registry::apply(std::string_view engine, const Change& change) {
    const auto found = engines_.find(engine);
    if (found == engines_.end()) return;
    std::visit([&](const auto& what) { apply_to(*found->second, what); }, change);
}

InitProcessPtr PublishedEngine::process(std::string_view id) const {
    const auto found = processes_.find(id);
    return found != processes_.end() ? found->second : nullptr;
}

void Registry::hold(PublishedEngine& engine, const std::string& id, const InitProcessPtr& process) {
    release(engine, id);
    if (!process) return;
    engine.processes_.emplace(id, process);
    processes_.add({engine.name_, id}, *process);
}

void Registry::release(PublishedEngine& engine, const std::string& id) {
    const auto held = engine.processes_.find(id);
    if (held == engine.processes_.end()) return;
    processes_.remove({engine.name_, id}, *held->second);
    engine.processes_.erase(held);
}

void Registry::apply_to(PublishedEngine& engine, const ContainerStarted& change) {
    ContainerStarted published = change;
    if (change.container->pid != 0) {
        const std::size_t bytes = change.container->labels->bytes();
        if (label_bytes_ + bytes > max_label_bytes) {
            auto without_labels = std::make_shared<Container>(*change.container);
            without_labels->labels = std::make_shared<const Labels>(Labels::all_left_out());
            published.container = std::move(without_labels);
        } else {
            label_bytes_ += bytes;
        }
        engine.portfolio_.add(published.container);
        hold(engine, change.container->id, change.process);
    }
    ++sequence_;
    if (observer_ != nullptr) observer_->container_started(engine, published, sequence_);
}

void Registry::apply_to(PublishedEngine& engine, const ContainerExited& change) {
    ContainerExited published = change;
    if (change.container->pid != 0) {
        if (ContainerPtr known = engine.portfolio_.remove_id(change.container->id)) {
            label_bytes_ -= known->labels->bytes();
            release(engine, known->id);
            published.container = std::move(known);
        }
    }
    ++sequence_;
    if (observer_ != nullptr) observer_->container_exited(engine, published, sequence_);
}

ContainerPtr Registry::update(PublishedEngine& engine, const ContainerPtr& changed) {
    const ContainerPtr known = engine.portfolio_.find(changed->id);
    if (!known) return changed;
    // The labels stay as they were published: they may have been left out here.
    auto copy = std::make_shared<Container>(*changed);
    copy->labels = known->labels;
    engine.portfolio_.add(copy);
    return copy;
}

void Registry::apply_to(PublishedEngine& engine, const ContainerPaused& change) {
    ContainerPaused published = change;
    published.container = update(engine, change.container);
    ++sequence_;
    if (observer_ != nullptr) observer_->container_paused(engine, published, sequence_);
}

void Registry::apply_to(PublishedEngine& engine, const ContainerUnpaused& change) {
    ContainerUnpaused published = change;
    published.container = update(engine, change.container);
    ++sequence_;
    if (observer_ != nullptr) observer_->container_unpaused(engine, published, sequence_);
}

void Registry::apply_to(PublishedEngine& engine, const ContainerRenamed& change) {
    ContainerRenamed published = change;
    published.container = update(engine, change.container);
    ++sequence_;
    if (observer_ != nullptr) observer_->container_renamed(engine, published, sequence_);
}

void Registry::apply_to(PublishedEngine& engine, const EngineChanged& change) {
    const EngineStatus before = std::exchange(engine.status_, change.status);
    engine.settled_ = engine.settled_ || is_settled(change.status.state);
    if (before.state != change.status.state) ++sequence_;
    if (observer_ != nullptr) observer_->engine_changed(engine, before, sequence_);
    update_ready();
}

void Registry::update_ready() {
    const bool all_settled =
        std::ranges::all_of(engines_, [](const auto& entry) { return entry.second->settled_; });
    if (ready_ || !configured_ || !all_settled) return;
    ready_ = true;
    if (observer_ != nullptr) observer_->ready_changed(true);
    if (const auto then = std::exchange(when_ready_, nullptr)) then();
}

const PublishedEngine* Registry::engine(std::string_view name) const {
    const auto found = engines_.find(name);
    return found != engines_.end() ? found->second.get() : nullptr;
}

std::vector<const PublishedEngine*> Registry::engines() const {
    std::vector<const PublishedEngine*> result;
    result.reserve(engines_.size());
    for (const auto& [name, engine] : engines_)
        result.push_back(engine.get());
    return result;
}

std::vector<Registry::Found> Registry::published(const std::vector<ProcessIndex::Entry>& entries) const {
    std::vector<Found> found;
    for (const ProcessIndex::Entry& entry : entries) {
        const PublishedEngine* of = engine(entry.engine);
        ContainerPtr container = of != nullptr ? of->portfolio_.find(entry.id) : nullptr;
        if (container) found.push_back({of, std::move(container)});
    }
    return found;
}

std::size_t Registry::container_total() const {
    std::size_t total = 0;
    for (const auto& [name, engine] : engines_)
        total += engine->portfolio_.container_total();
    return total;
}

std::vector<Registry::Found> Registry::list(const ContainerFilter& filter) const {
    std::vector<Found> result;
    for (const auto& [name, engine] : engines_) {
        const PublishedEngine* of = engine.get();
        of->portfolio_.for_each([&](const ContainerPtr& container) {
            if (filter.matches(*of, *container)) result.push_back({of, container});
        });
    }
    return result;
}

std::vector<Registry::Found> Registry::look_up(std::string_view name_or_id) const {
    std::vector<Found> by_id;
    std::vector<Found> by_name;
    std::vector<Found> by_prefix;
    for (const auto& [name, engine] : engines_) {
        const PublishedEngine* of = engine.get();
        of->portfolio_.for_each([&](const ContainerPtr& container) {
            if (container->id == name_or_id) by_id.push_back({of, container});
            if (container->name == name_or_id) by_name.push_back({of, container});
            const bool long_enough = name_or_id.size() >= shortest_id_prefix;
            if (long_enough && container->id.starts_with(name_or_id)) by_prefix.push_back({of, container});
        });
    }
    if (!by_id.empty()) return by_id;
    return by_name.empty() ? by_prefix : by_name;
}

}  // namespace shorewatch
