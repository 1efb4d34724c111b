// The portfolio: engine, project, container; and the registry that numbers what is published.
#include <algorithm>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "daemon/change_queue.h"
#include "daemon/portfolio.h"
#include "daemon/registry.h"
#include "tests/unit/catch.h"

using namespace shorewatch;

namespace {

ContainerPtr make(const std::string& id, const std::string& name, const std::string& project = "",
                  std::vector<Labels::Entry> labels = {}) {
    auto container = std::make_shared<Container>();
    container->id = id;
    container->name = name;
    container->project = project;
    container->pid = 42;
    container->labels = std::make_shared<const Labels>(std::move(labels));
    return container;
}

std::vector<std::string> ids(const std::vector<Registry::Found>& found) {
    std::vector<std::string> result;
    for (const auto& [engine, container] : found)
        result.push_back(engine->name() + "/" + container->id);
    std::sort(result.begin(), result.end());
    return result;
}

// Writes down what it is told.
class Notes final : public RegistryObserver {
  public:
    std::vector<std::string> lines;
    ContainerPtr last;

    void engine_added(const PublishedEngine& engine) override { lines.push_back("added " + engine.name()); }
    void engine_removed(const PublishedEngine& engine) override {
        lines.push_back("removed " + engine.name());
    }
    void engine_changed(const PublishedEngine& engine, const EngineStatus&, std::uint64_t sequence) override {
        note(std::string("engine ") + to_string(engine.status().state), sequence);
    }
    void container_started(const PublishedEngine&, const ContainerStarted& change,
                           std::uint64_t sequence) override {
        last = change.container;
        note("started " + change.container->name, sequence);
    }
    void container_exited(const PublishedEngine&, const ContainerExited& change,
                          std::uint64_t sequence) override {
        last = change.container;
        note("exited " + change.container->name, sequence);
    }
    void container_paused(const PublishedEngine&, const ContainerPaused& change,
                          std::uint64_t sequence) override {
        last = change.container;
        note("paused " + change.container->name, sequence);
    }
    void container_unpaused(const PublishedEngine&, const ContainerUnpaused& change,
                            std::uint64_t sequence) override {
        last = change.container;
        note("unpaused " + change.container->name, sequence);
    }
    void container_renamed(const PublishedEngine&, const ContainerRenamed& change,
                           std::uint64_t sequence) override {
        last = change.container;
        note("renamed " + change.old_name + " " + change.container->name, sequence);
    }
    void ready_changed(bool) override { lines.emplace_back("ready"); }
    void runtime_event(const PublishedEngine& engine, const RuntimeSignal& signal) override {
        note(engine.name() + " " + to_string(signal.type) + " " + signal.container, signal.sequence);
    }

  private:
    void note(const std::string& what, std::uint64_t sequence) {
        lines.push_back(what + " #" + std::to_string(sequence));
    }
};

EngineChanged in_state(EngineState state) {
    return {{state, "", real_time_now(), {}}};
}

}  // namespace

TEST_CASE("projects come and go with their containers, and the zero project is not among the names") {
    Portfolio portfolio;
    CHECK(portfolio.project("") == nullptr);
    portfolio.add(make("1", "web", "shop"));
    portfolio.add(make("2", "db", "shop"));
    portfolio.add(make("3", "lone"));
    CHECK(portfolio.container_total() == 3);
    CHECK(portfolio.names() == std::vector<std::string>{"shop"});
    REQUIRE(portfolio.project("shop") != nullptr);
    CHECK(portfolio.project("shop")->container_names() == std::vector<std::string>{"db", "web"});
    CHECK(portfolio.project("shop")->to_string() == "project 'shop' with containers 'db', 'web'");
    CHECK(portfolio.project("")->to_string() == "zero project with container 'lone'");
    CHECK(portfolio.remove("web", "shop")->id == "1");
    CHECK(portfolio.remove("lone", "shop") == nullptr);
    CHECK(portfolio.remove("2", "shop")->name == "db");
    CHECK(portfolio.project("shop") == nullptr);
    CHECK(portfolio.names().empty());
    CHECK(portfolio.container_total() == 1);
}

TEST_CASE("a container is found by id before name, in all projects or in one") {
    Portfolio portfolio;
    portfolio.add(make("1", "2", "shop"));
    portfolio.add(make("2", "web", "shop"));
    portfolio.add(make("3", "web"));
    CHECK(portfolio.container("2")->name == "web");
    CHECK(portfolio.container("web")->id == "2");  // the least id of equal names
    CHECK(portfolio.project("")->container("web")->id == "3");
    CHECK(portfolio.project("")->container("1") == nullptr);
    CHECK(portfolio.find("web") == nullptr);
    CHECK(portfolio.container("none") == nullptr);
}

TEST_CASE("pausing puts an immutable copy in the container's place") {
    Portfolio portfolio;
    const ContainerPtr before = make("1", "web", "shop", {{"key", "value"}});
    portfolio.add(before);
    const ContainerPtr paused = portfolio.set_paused("web", true);
    REQUIRE(paused);
    CHECK(paused->paused);
    CHECK_FALSE(before->paused);
    CHECK(paused->labels == before->labels);  // shared, not copied
    CHECK(portfolio.find("1") == paused);
    CHECK(portfolio.project("shop")->container("1") == paused);
    CHECK(portfolio.container_total() == 1);
    CHECK(portfolio.set_paused("none", true) == nullptr);
}

TEST_CASE("a container that comes back under another project leaves the old one") {
    Portfolio portfolio;
    portfolio.add(make("1", "web", "shop"));
    portfolio.add(make("1", "web", "other"));
    CHECK(portfolio.container_total() == 1);
    CHECK(portfolio.project("shop") == nullptr);
    CHECK(portfolio.project("other")->size() == 1);
}

TEST_CASE("the registry numbers the signals, and changes of state only where the state is another") {
    Registry registry;
    Notes notes;
    registry.set_observer(&notes);
    registry.add_engine("docker", "docker.com", "unix:///x");
    registry.configured();
    CHECK_FALSE(registry.ready());
    registry.apply("docker", in_state(EngineState::synchronizing));
    registry.apply("docker", ContainerStarted{make("1", "web"), {}, Cause::event});
    registry.apply("docker", in_state(EngineState::watching));
    registry.apply("docker", in_state(EngineState::watching));
    registry.apply("docker", ContainerPaused{make("1", "web")->with_paused(true), {}, Cause::event});
    registry.apply("docker", ContainerRenamed{make("1", "new")->with_paused(true), "web", {}, Cause::event});
    CHECK(registry.list({}).front().container->paused);
    registry.apply("docker", ContainerExited{make("1", "new"), {}, 7, {}, Cause::event});
    registry.apply("gone", ContainerStarted{make("2", "x"), {}, Cause::event});
    CHECK(notes.lines == std::vector<std::string>{"added docker", "engine synchronizing #1", "started web #2",
                                                  "engine watching #3", "ready", "engine watching #3",
                                                  "paused web #4", "renamed web new #5", "exited new #6"});
    CHECK(registry.sequence() == 6);
    CHECK(registry.container_total() == 0);
    CHECK(registry.ready());
    registry.remove_engine("docker");
    CHECK(notes.lines.back() == "removed docker");
}

TEST_CASE("a run that was over before it could be inspected is told, and never listed") {
    Registry registry;
    Notes notes;
    registry.set_observer(&notes);
    registry.add_engine("docker", "docker.com", "unix:///x");
    const ContainerPtr over = make("1", "short")->without_process();
    registry.apply("docker", ContainerStarted{over, {}, Cause::event});
    CHECK(registry.container_total() == 0);
    registry.apply("docker", ContainerExited{over, {}, 0, {}, Cause::event});
    CHECK(notes.lines.back() == "exited short #2");
}

TEST_CASE("filters must all match") {
    Registry registry;
    registry.add_engine("a", "docker.com", "unix:///a");
    registry.add_engine("b", "docker.com", "unix:///b");
    registry.apply(
        "a", ContainerStarted{make("1", "web", "shop", {{"tier", "front"}, {"k=v", "w"}}), {}, Cause::event});
    registry.apply("a", ContainerStarted{make("2", "db", "shop", {{"tier", ""}}), {}, Cause::event});
    registry.apply("b", ContainerStarted{make("3", "web"), {}, Cause::event});
    const auto listed = [&](ContainerFilter filter) { return ids(registry.list(filter)); };
    using Ids = std::vector<std::string>;
    CHECK(listed({}) == Ids{"a/1", "a/2", "b/3"});
    CHECK(listed({.engine = "b"}) == Ids{"b/3"});
    CHECK(listed({.project = ""}) == Ids{"b/3"});
    CHECK(listed({.project = "shop", .name = "web"}) == Ids{"a/1"});
    CHECK(listed({.labels = {"tier"}}) == Ids{"a/1", "a/2"});
    CHECK(listed({.labels = {"tier="}}) == Ids{"a/2"});
    CHECK(listed({.labels = {"k=v=w", "tier=front"}}) == Ids{"a/1"});
    CHECK(listed({.paused = true}).empty());
    CHECK(listed({.pod = ""}).empty());
    CHECK(listed({.engine = "none"}).empty());
}

TEST_CASE("an id wins over a name, a name over the beginning of an id, and four characters are the least") {
    Registry registry;
    registry.add_engine("a", "docker.com", "unix:///a");
    registry.add_engine("b", "docker.com", "unix:///b");
    registry.apply("a", ContainerStarted{make("abcdef", "x"), {}, Cause::event});
    registry.apply("a", ContainerStarted{make("abcxyz", "abcd"), {}, Cause::event});
    registry.apply("b", ContainerStarted{make("abcdef", "y"), {}, Cause::event});
    using Ids = std::vector<std::string>;
    CHECK(ids(registry.look_up("abcdef")) == Ids{"a/abcdef", "b/abcdef"});
    CHECK(ids(registry.look_up("abcd")) == Ids{"a/abcxyz"});
    CHECK(ids(registry.look_up("abcx")) == Ids{"a/abcxyz"});
    CHECK(ids(registry.look_up("abc")).empty());
    CHECK(ids(registry.look_up("")).empty());
}

TEST_CASE("labels are published up to 16 MiB in all, and room that is given back is used again") {
    Registry registry;
    Notes notes;
    registry.set_observer(&notes);
    registry.add_engine("a", "docker.com", "unix:///a");
    const auto start = [&](int number) {
        const ContainerPtr big =
            make(std::to_string(number), "n", "", {{"k", std::string(64 * 1024 - 1, 'x')}});
        registry.apply("a", ContainerStarted{big, {}, Cause::event});
        return notes.last;
    };
    for (int i = 0; i < 256; ++i)
        REQUIRE_FALSE(start(i)->labels->truncated());
    const ContainerPtr one_too_many = start(256);
    CHECK(one_too_many->labels->truncated());
    CHECK(one_too_many->labels->entries().empty());
    registry.apply("a",
                   ContainerPaused{make("256", "n", "", {{"k", "v"}})->with_paused(true), {}, Cause::event});
    CHECK(notes.last->labels->entries().empty());
    registry.apply("a", ContainerExited{make("0", "n"), {}, {}, {}, Cause::event});
    CHECK_FALSE(start(257)->labels->truncated());
}

TEST_CASE("the queue keeps the order, hands over in batches, and folds states that pile up into the last") {
    EventLoop loop;
    std::vector<std::string> seen;
    std::size_t largest = 0;
    ChangeQueue queue(loop, [&](const std::vector<QueuedChange>& changes) {
        largest = std::max(largest, changes.size());
        for (const QueuedChange& queued : changes) {
            if (const auto* started = std::get_if<ContainerStarted>(&queued.change)) {
                seen.push_back(started->container->id);
            } else {
                seen.emplace_back(to_string(std::get<EngineChanged>(queued.change).status.state));
            }
        }
        if (seen.back() == "watching") loop.stop();
    });
    constexpr int many = 3000;
    std::thread watcher([&] {
        for (int i = 0; i < many; ++i)
            queue.push(1, ContainerStarted{make(std::to_string(i), "n"), {}, Cause::event});
        queue.push(1, in_state(EngineState::connecting));
        queue.push(1, in_state(EngineState::synchronizing));
        queue.push(1, in_state(EngineState::watching));
    });
    watcher.join();
    CHECK(queue.size() == many + 1);
    loop.run();
    REQUIRE(seen.size() == many + 1);
    for (int i = 0; i < many; ++i)
        REQUIRE(seen[static_cast<std::size_t>(i)] == std::to_string(i));
    CHECK(largest == ChangeQueue::batch);
    CHECK(queue.size() == 0);
}
