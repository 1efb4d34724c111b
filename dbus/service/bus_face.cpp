#include "dbus/service/bus_face.h"

#include <algorithm>
#include <utility>

#include <malloc.h>

#include "dbus/service/object_paths.h"
#include "engines/support/log.h"

namespace shorewatch::bus {

namespace {

constexpr auto first_wait = std::chrono::milliseconds(100);
constexpr auto longest_wait = std::chrono::seconds(5);
// A connection that lasted this long was a good one: the next attempt after it need not wait longer than the
// first.
constexpr auto good_connection = std::chrono::seconds(10);
// After the first of many large answers that were sent; and then again, each time so much later.
constexpr Clock::duration first_trim = std::chrono::seconds(1);
constexpr Clock::duration longest_trim = std::chrono::seconds(64);
constexpr int later_trim = 8;

}  // namespace

BusFace::BusFace(EventLoop& loop, Registry& registry, DaemonActions& actions, Options options)
    : loop_(loop),
      registry_(registry),
      authority_(options.user),
      addresses_(loop),
      context_{
          registry, actions, authority_, calls_, addresses_, options.user, std::move(options.instance_id)},
      fatal_(std::move(options.fatal)),
      backoff_(first_wait, longest_wait),
      reconnect_timer_(loop, [this] { reconnect(); }),
      trim_timer_(loop, [this] { trim(); }) {
    registry_.set_observer(this);
}

BusFace::~BusFace() {
    registry_.set_observer(nullptr);
    disconnect();
}

void BusFace::connect() {
    const auto kind = context_.user ? BusConnection::Kind::session : BusConnection::Kind::system;
    BusConnection::Handlers handlers;
    handlers.before_wait = [this] {
        if (tree_) tree_->flush();
        if (task_tree_) task_tree_->flush();
    };
    handlers.on_drained = [this] { trim_later(); };
    handlers.on_lost = [this](const std::string& why) { lost(why); };
    handlers.on_name_lost = [this] {
        fatal_(std::string("The bus name ") + service_name + " was taken over");
    };
    bus_ = std::make_unique<BusConnection>(loop_, kind, std::move(handlers));
    authority_.connect(bus_->get());
}

void BusFace::disconnect() {
    task_tree_.reset();
    tree_.reset();
    authority_.disconnect();
    calls_.drop();
    bus_.reset();
}

void BusFace::publish() {
    published_ = true;
    if (bus_) publish_on_connection();
}

void BusFace::publish_on_connection() {
    try {
        // The objects first and the name last: who waits for the name finds everything.
        tree_ = std::make_unique<ObjectTree>(*bus_, context_);
        bus_->request_name(service_name);
        published_at_ = Clock::now();
        tell_held_events();
        // Once the name is ours: signals of what was never told are to be received. Nobody's call can come
        // before.
        show_tasks(false);
    } catch (const NameRefused& refused) {
        disconnect();
        fatal_(refused.what());
    } catch (const BusError& error) {
        lost(error.what());
    }
}

void BusFace::tell_held_events() {
    for (const auto& [name, signal] : std::exchange(held_events_, {})) {
        const PublishedEngine* const engine = registry_.engine(name);
        if (engine != nullptr) tree_->runtime_event(*engine, signal);
    }
}

void BusFace::show_tasks(bool announce) {
    TaskEngine* const tasks = context_.actions.tasks();
    if (tasks != nullptr)
        task_tree_ = std::make_unique<TaskTree>(*bus_, context_, *tasks, task_sequence_, announce);
}

void BusFace::tasks_changed() {
    if (!tree_ || (task_tree_ && task_tree_->is_of(context_.actions.tasks()))) return;
    if (task_tree_) task_tree_->announce_removed();
    task_tree_.reset();
    show_tasks(true);
}

void BusFace::lost(const std::string& why) {
    if (tree_ && Clock::now() - published_at_ >= good_connection) backoff_.reset();
    disconnect();
    trim_later();
    log::warning("Lost the bus: " + why + ". Connecting again");
    reconnect_timer_.arm_after(backoff_.next());
}

void BusFace::reconnect() {
    try {
        connect();
    } catch (const BusError& error) {
        log::debug(error.what());
        reconnect_timer_.arm_after(backoff_.next());
        return;
    }
    log::notice("Connected to the bus again");
    if (published_) publish_on_connection();
}

// What could not be sent at once can be a hundred MB, lists for many clients; the heap would keep its pages.
void BusFace::trim_later() {
    if (!trim_timer_.armed() || trim_delay_ > first_trim) trim_after(first_trim);
}

void BusFace::trim_after(Clock::duration delay) {
    trim_delay_ = delay;
    trim_timer_.arm_after(delay);
}

// What is free now lies between containers that lived at that time, and those that come take pages of it
// again: the heap is large for good, and given back again and again as long as containers come and go.
void BusFace::trim() {
    (void)::malloc_trim(0);
    const bool idle = std::exchange(trimmed_at_, registry_.sequence()) == registry_.sequence();
    const auto heap = ::mallinfo2();
    if (!idle && heap.fordblks > heap.uordblks)
        trim_after(std::min<Clock::duration>(later_trim * trim_delay_, longest_trim));
}

void BusFace::engine_added(const PublishedEngine& engine) {
    if (tree_) tree_->engine_added(engine);
}

void BusFace::engine_removed(const PublishedEngine& engine) {
    if (tree_) tree_->engine_removed(engine);
}

void BusFace::engine_changed(const PublishedEngine& engine, const EngineStatus& before,
                             std::uint64_t sequence) {
    if (tree_) tree_->engine_changed(engine, before, sequence);
}

void BusFace::container_started(const PublishedEngine& engine, const ContainerStarted& change,
                                std::uint64_t sequence) {
    if (tree_) tree_->container_started(engine, change, sequence);
}

void BusFace::container_exited(const PublishedEngine& engine, const ContainerExited& change,
                               std::uint64_t sequence) {
    if (tree_) tree_->container_exited(engine, change, sequence);
}

void BusFace::container_paused(const PublishedEngine& engine, const ContainerPaused& change,
                               std::uint64_t sequence) {
    if (tree_) tree_->container_paused(engine, change, sequence);
}

void BusFace::container_unpaused(const PublishedEngine& engine, const ContainerUnpaused& change,
                                 std::uint64_t sequence) {
    if (tree_) tree_->container_unpaused(engine, change, sequence);
}

void BusFace::container_renamed(const PublishedEngine& engine, const ContainerRenamed& change,
                                std::uint64_t sequence) {
    if (tree_) tree_->container_renamed(engine, change, sequence);
}

void BusFace::ready_changed(bool) {
    if (tree_) tree_->ready_changed();
}

void BusFace::runtime_event(const PublishedEngine& engine, const RuntimeSignal& signal) {
    if (tree_) return tree_->runtime_event(engine, signal);
    held_events_.emplace_back(engine.name(), signal);
    if (held_events_.size() > most_held_events) held_events_.pop_front();
}

}  // namespace shorewatch::bus
