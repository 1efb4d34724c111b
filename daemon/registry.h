// The registry: the published state of all engines, on the main thread.
//
// Watchers post changes; the registry applies them in order, numbers the lifecycle signals and tells its
// observers. Nothing is known to observers that is not in here: what D-Bus shows is read from it.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/change.h"
#include "daemon/configuration.h"
#include "daemon/portfolio.h"
#include "daemon/processes/init_process.h"
#include "daemon/processes/process_index.h"
#include "daemon/runtime/runtime.h"

namespace shorewatch {

// One engine, as published.
class PublishedEngine {
  public:
    PublishedEngine(std::string name, std::string type, std::string api, std::optional<Holder> holder,
                    bool has_runtime)
        : name_(std::move(name)),
          type_(std::move(type)),
          api_(std::move(api)),
          holder_(std::move(holder)),
          has_runtime_(has_runtime) {}

    [[nodiscard]] const std::string& name() const noexcept { return name_; }
    [[nodiscard]] const std::string& type() const noexcept { return type_; }
    [[nodiscard]] const std::string& api() const noexcept { return api_; }
    // The container it runs in; none: it runs outside of all that are known.
    [[nodiscard]] const std::optional<Holder>& holder() const noexcept { return holder_; }
    // Are containers run on it by way of this daemon?
    [[nodiscard]] bool has_runtime() const noexcept { return has_runtime_; }
    [[nodiscard]] const EngineStatus& status() const noexcept { return status_; }
    [[nodiscard]] const Portfolio& portfolio() const noexcept { return portfolio_; }
    // Of an alive container, by full id; null when it is not held.
    [[nodiscard]] InitProcessPtr process(std::string_view id) const;

  private:
    friend class Registry;

    std::string name_;
    std::string type_;
    std::string api_;
    std::optional<Holder> holder_;
    bool has_runtime_;
    EngineStatus status_;
    Portfolio portfolio_;
    std::map<std::string, InitProcessPtr, std::less<>> processes_;
    bool settled_ = false;  // listed once, or found unavailable
};

// Told after the registry has changed. sequence is the number of the signal that the change makes; an
// engine's change makes one where its state is another than before.
class RegistryObserver {
  public:
    virtual void engine_added(const PublishedEngine& engine) = 0;
    // The last of it, after engine_changed. Its containers live on, unwatched: nobody is told of exits.
    virtual void engine_removed(const PublishedEngine& engine) = 0;
    virtual void engine_changed(const PublishedEngine& engine, const EngineStatus& before,
                                std::uint64_t sequence) = 0;
    virtual void container_started(const PublishedEngine& engine, const ContainerStarted& change,
                                   std::uint64_t sequence) = 0;
    virtual void container_exited(const PublishedEngine& engine, const ContainerExited& change,
                                  std::uint64_t sequence) = 0;
    virtual void container_paused(const PublishedEngine& engine, const ContainerPaused& change,
                                  std::uint64_t sequence) = 0;
    virtual void container_unpaused(const PublishedEngine& engine, const ContainerUnpaused& change,
                                    std::uint64_t sequence) = 0;
    virtual void container_renamed(const PublishedEngine& engine, const ContainerRenamed& change,
                                   std::uint64_t sequence) = 0;
    virtual void ready_changed(bool ready) = 0;
    // Something that happened to a container of the engine's runtime; nothing of the registry has changed.
    virtual void runtime_event(const PublishedEngine& engine, const RuntimeSignal& signal) = 0;

  protected:
    ~RegistryObserver() = default;
};

// What ListContainers can be asked for; all that is set must match.
struct ContainerFilter {
    std::optional<std::string> engine = {};
    std::optional<std::string> project = {};
    std::optional<std::string> name = {};
    std::vector<std::string> labels = {};  // each "key" or "key=value"
    std::optional<bool> paused = {};
    std::optional<std::string> pod = {};  // name or id

    [[nodiscard]] bool matches(const PublishedEngine& of, const Container& container) const;
};

class Registry {
  public:
    // The most that is published of all containers' labels together, in bytes; past it, containers are
    // published with no labels and LabelsTruncated. Keeps GetManagedObjects well below a bus's 32 MiB a
    // message.
    static constexpr std::size_t max_label_bytes = std::size_t{16} * 1024 * 1024;

    struct Found {
        const PublishedEngine* engine;
        ContainerPtr container;
    };

    // The observer is told of everything from now on; it must outlive the registry or be removed with null.
    void set_observer(RegistryObserver* observer) noexcept { observer_ = observer; }

    // Calls then once: now, or when the registry becomes ready().
    void when_ready(std::function<void()> then);
    // All engines of the configuration have been added; before that, the registry is never ready.
    void configured();

    void add_engine(std::string name, std::string type, std::string api, std::optional<Holder> holder = {},
                    bool has_runtime = false);
    void remove_engine(std::string_view name);
    // A change of an engine that is not (any longer) here is dropped: its watcher was removed meanwhile.
    void apply(std::string_view engine, const Change& change);
    // Passes it on, of an engine that is here.
    void tell(std::string_view engine_name, const RuntimeSignal& signal);

    [[nodiscard]] const PublishedEngine* engine(std::string_view name) const;
    // Sorted by name.
    [[nodiscard]] std::vector<const PublishedEngine*> engines() const;
    [[nodiscard]] std::size_t container_total() const;
    // Of those whose initial processes are held.
    [[nodiscard]] const ProcessIndex& processes() const noexcept { return processes_; }
    // What the index has found.
    [[nodiscard]] std::vector<Found> published(const std::vector<ProcessIndex::Entry>& entries) const;
    // Of the last signal; 0 before the first.
    [[nodiscard]] std::uint64_t sequence() const noexcept { return sequence_; }
    // Has every engine been listed once, or been found unavailable? Once true, it stays so.
    [[nodiscard]] bool ready() const noexcept { return ready_; }

    [[nodiscard]] std::vector<Found> list(const ContainerFilter& filter) const;
    // All that have this id; where none has, all that have this name; where none has, all whose id begins
    // with it, if it is 4 characters or more.
    [[nodiscard]] std::vector<Found> look_up(std::string_view name_or_id) const;

  private:
    // Puts changed, with the labels as they are published, into the portfolio, and returns it.
    static ContainerPtr update(PublishedEngine& engine, const ContainerPtr& changed);
    void hold(PublishedEngine& engine, const std::string& id, const InitProcessPtr& process);
    void release(PublishedEngine& engine, const std::string& id);
    void apply_to(PublishedEngine& engine, const ContainerStarted& change);
    void apply_to(PublishedEngine& engine, const ContainerExited& change);
    void apply_to(PublishedEngine& engine, const ContainerPaused& change);
    void apply_to(PublishedEngine& engine, const ContainerUnpaused& change);
    void apply_to(PublishedEngine& engine, const ContainerRenamed& change);
    void apply_to(PublishedEngine& engine, const EngineChanged& change);
    void update_ready();

    std::map<std::string, std::unique_ptr<PublishedEngine>, std::less<>> engines_;
    ProcessIndex processes_;
    RegistryObserver* observer_ = nullptr;
    std::uint64_t sequence_ = 0;
    std::size_t label_bytes_ = 0;
    bool configured_ = false;
    bool ready_ = false;
    std::function<void()> when_ready_;
};

}  // namespace shorewatch
