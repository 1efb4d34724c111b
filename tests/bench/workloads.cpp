// Fixed pieces of the daemon's work, whose instructions are counted by tests/bench/run --check: what Docker
// says, as text, goes through decoding, run tracker, portfolio, queue and registry to the values of the bus's
// signals.
//
// There is no engine, no bus and no process in it: what these take is not the daemon's. Only what is called
// by a function named work_… is counted; the text is made before.
//
// Usage: bench-workloads sync|events [CONTAINERS]
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <exception>
#include <stdexcept>
#include <string>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

#include "daemon/change_queue.h"
#include "daemon/registry.h"
#include "daemon/run_tracker.h"
#include "dbus/service/object_paths.h"
#include "dbus/service/signal_details.h"
#include "engines/docker/docker_decode.h"
#include "engines/http/json_stream.h"
#include "engines/support/event_loop.h"
#include "tests/fakes/docker_json.h"
#include "tests/fakes/docker_model.h"

using namespace shorewatch;

namespace {

constexpr const char* engine_name = "docker";
constexpr std::size_t projects = 100;
constexpr std::size_t labels = 8;

// What Docker says, made before anything is counted.
struct Told {
    std::string list;
    std::string events;                                        // as the stream has them
    std::unordered_map<std::string, std::string> inspections;  // by id
    std::size_t signals = 0;                                   // that come of it
};

fakes::ContainerSpec spec(std::size_t number) {
    fakes::ContainerSpec made;
    made.name = "container-" + std::to_string(number);
    made.labels.emplace_back("com.docker.compose.project", "project-" + std::to_string(number % projects));
    for (std::size_t label = 1; label < labels; ++label)
        made.labels.emplace_back("com.example.label." + std::to_string(label), std::string(20, 'v'));
    return made;
}

Told told_of_sync(std::size_t containers) {
    fakes::DockerModel model;
    Told told;
    for (std::size_t number = 0; number < containers; ++number) {
        model.create(spec(number));
        model.start(model.last_id());
    }
    told.list = fakes::list_json(model.containers());
    for (const fakes::FakeContainer* container : model.containers())
        told.inspections[container->spec.id] = fakes::inspect_json(*container);
    told.signals = containers;
    return told;
}

// Each container is started, paused, unpaused and over.
Told told_of_events(std::size_t containers) {
    fakes::DockerModel model;
    Told told;
    told.list = "[]";
    const auto tell = [&](const fakes::DockerModel::Events& events) {
        for (const fakes::DockerEvent& event : events)
            told.events += fakes::event_line(event, fakes::EngineFacts{}.newest_api);
        ++told.signals;
    };
    for (std::size_t number = 0; number < containers; ++number) {
        model.create(spec(number));
        const std::string id = model.last_id();
        tell(model.start(id));
        told.inspections[id] = fakes::inspect_json(*model.find(id));
        tell(model.pause(id));
        tell(model.unpause(id));
        tell(model.die(id, 0));
    }
    return told;
}

// The daemon's way from an engine's words to the bus, on one thread.
class Way final : private RunTracker::Output, private RegistryObserver {
  public:
    explicit Way(Told& told)
        : told_(told), queue_(loop_, [this](const std::vector<QueuedChange>& batch) {
              for (const QueuedChange& queued : batch)
                  registry_.apply(engine_name, queued.change);
              if (signals_ == told_.signals) loop_.stop();
          }) {
        registry_.set_observer(this);
        registry_.add_engine(engine_name, "docker.com", "unix:///run/docker.sock");
        tracker_.on_list_asked(real_time_now());  // no run is waited for to be told
    }
    Way(const Way&) = delete;
    Way& operator=(const Way&) = delete;
    virtual ~Way() = default;

    void list() {
        tracker_.on_list(docker::decode_list(std::move(told_.list)).containers, now_);
        answer();
    }

    void stream() {
        json::StreamSplitter splitter;
        splitter.feed(told_.events);
        using Kind = json::StreamSplitter::Item::Kind;
        for (auto item = splitter.next(); item.kind == Kind::object; item = splitter.next()) {
            const rest::EventLine line = docker::decode_event(std::string(item.text));
            if (line.event) tracker_.on_event(*line.event, now_);
            answer();
        }
    }

    // What is in the queue, to its end.
    void tell() { loop_.run(); }
    [[nodiscard]] std::size_t bytes() const { return bytes_; }

  private:
    void inspect(const std::string& id) override { asked_.push_back(id); }
    void publish(Change change) override { queue_.push(1, std::move(change)); }
    [[nodiscard]] bool lives(const std::string&) override { return false; }

    void answer() {
        for (; !asked_.empty(); asked_.pop_front()) {
            const std::string& id = asked_.front();
            tracker_.on_inspected(id, docker::decode_inspection(std::move(told_.inspections.at(id))), now_);
        }
    }

    void engine_added(const PublishedEngine&) override {}
    void engine_removed(const PublishedEngine&) override {}
    void engine_changed(const PublishedEngine&, const EngineStatus&, std::uint64_t) override {}
    void container_started(const PublishedEngine& engine, const ContainerStarted& change,
                           std::uint64_t sequence) override {
        make_signal(engine, change, sequence);
    }
    void container_exited(const PublishedEngine& engine, const ContainerExited& change,
                          std::uint64_t sequence) override {
        make_signal(engine, change, sequence);
    }
    void container_paused(const PublishedEngine& engine, const ContainerPaused& change,
                          std::uint64_t sequence) override {
        make_signal(engine, change, sequence);
    }
    void container_unpaused(const PublishedEngine& engine, const ContainerUnpaused& change,
                            std::uint64_t sequence) override {
        make_signal(engine, change, sequence);
    }
    void container_renamed(const PublishedEngine& engine, const ContainerRenamed& change,
                           std::uint64_t sequence) override {
        make_signal(engine, change, sequence);
    }
    void ready_changed(bool) override {}
    void runtime_event(const PublishedEngine&, const RuntimeSignal&) override {}

    // As far as that goes without a bus: path and details are made, the details as messages of their own.
    template <typename Change>
    void make_signal(const PublishedEngine& engine, const Change& change, std::uint64_t sequence) {
        const sdbus::ObjectPath path = bus::container_path(engine.name(), change.container->id);
        bytes_ += path.size() + bus::details_of(change).size() + (sequence > 0 ? 1 : 0);
        ++signals_;
    }

    Told& told_;
    EventLoop loop_;
    ChangeQueue queue_;
    Registry registry_;
    Portfolio portfolio_;
    RunTracker tracker_{portfolio_, *this};
    std::deque<std::string> asked_;
    RunTracker::TimePoint now_{};
    std::size_t signals_ = 0;
    std::size_t bytes_ = 0;
};

// Named so that callgrind finds them: not for a namespace, nor to be inlined.
}  // namespace

[[gnu::noinline]] std::size_t work_sync(Told& told);
[[gnu::noinline]] std::size_t work_events(Told& told);

std::size_t work_sync(Told& told) {
    Way way(told);
    way.list();
    way.tell();
    return way.bytes();
}

std::size_t work_events(Told& told) {
    Way way(told);
    way.list();
    way.stream();
    way.tell();
    return way.bytes();
}

int main(int count, char** arguments) {
    try {
        const std::string which = count > 1 ? arguments[1] : "";
        // 10,000 containers are listed; 10,000 events are of a quarter as many.
        const std::size_t containers = count > 2           ? std::strtoul(arguments[2], nullptr, 10)
                                       : which == "events" ? 2'500
                                                           : 10'000;
        if (which != "sync" && which != "events") throw std::invalid_argument("sync or events?");
        Told told = which == "sync" ? told_of_sync(containers) : told_of_events(containers);
        const std::size_t bytes = which == "sync" ? work_sync(told) : work_events(told);
        std::printf("%zu signals, %zu\n", told.signals, bytes);
        return 0;
    } catch (const std::exception& failure) {
        std::fprintf(stderr, "bench-workloads: %s\n", failure.what());
        return 1;
    }
}
