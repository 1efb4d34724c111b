// The desk of a runtime with an engine that is played: it keeps what it is asked for until the test answers.
#pragma once

#include <any>
#include <chrono>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "daemon/runtime/runtime_desk.h"
#include "tests/fakes/drive.h"
#include "tests/fakes/temporary_folder.h"
#include "tests/unit/catch.h"

namespace shorewatch::testing {

// What the engine has of a container that was made here.
inline ContainerRecord ours() {
    return {.labels = {{"org.shorewatch.runtime", "1"}}};
}

// Keeps what it is asked for, to be answered by the test: by the call's name.
class PlayedEngine final : public EngineRuntime {
  public:
    RuntimeObserver* observer = nullptr;
    std::vector<std::string> asked;
    ProcessStreams streams;
    NewContainer created;

    // Answers the oldest call of that name.
    template <typename T>
    void answer(const std::string& name, T value) {
        INFO("no call " << name);
        const auto found = replies_.find(name);
        REQUIRE(found != replies_.end());
        const auto reply = std::any_cast<std::function<void(Result<T>)>>(found->second);
        replies_.erase(found);
        reply(std::move(value));
    }
    void done(const std::string& name, std::optional<EngineError> refused = {}) {
        const auto found = replies_.find(name);
        INFO("no call " << name);
        REQUIRE(found != replies_.end());
        const auto reply = std::any_cast<Done>(found->second);
        replies_.erase(found);
        reply(std::move(refused));
    }
    template <typename T>
    void refuse(const std::string& name, EngineError::Kind kind, const std::string& text = "no") {
        const auto found = replies_.find(name);
        INFO("no call " << name);
        REQUIRE(found != replies_.end());
        const auto reply = std::any_cast<std::function<void(Result<T>)>>(found->second);
        replies_.erase(found);
        reply(EngineError{kind, text});
    }
    // The connection is lost: nobody is answered.
    void lose() { replies_.clear(); }
    [[nodiscard]] bool is_asked(const std::string& name) const { return replies_.contains(name); }

    void tell(RuntimeEvent::Type type, const std::string& process = {}, std::uint32_t pid = 0,
              std::uint32_t code = 0) {
        RuntimeEvent event;
        event.type = type;
        event.place = {"shorewatch", "web"};
        event.exec_name = process;
        event.pid = pid;
        event.end = {code, real_time_now()};
        observer->on_runtime_event(event);
    }

    void observe(RuntimeObserver* who) override { observer = who; }
    void version(Reply<EngineVersion> reply) override { keep("version", std::move(reply)); }
    void image_config(const std::string&, const std::string&, Reply<std::string> reply) override {
        keep("image_config", std::move(reply));
    }
    [[nodiscard]] Result<bool> wants_terminal(const std::string&) const override { return false; }
    [[nodiscard]] bool watches(std::string_view name) const override { return name != "moby"; }
    void create_container(const NewContainer& container, Reply<ContainerRecord> reply) override {
        created = container;
        keep("create_container", std::move(reply));
    }
    void container(const ContainerPlace&, Reply<ContainerRecord> reply) override {
        keep("container", std::move(reply));
    }
    void delete_container(const ContainerPlace&, Done reply) override {
        keep("delete_container", std::move(reply));
    }
    void create_task(const ContainerPlace&, const ProcessStreams& its, const std::string&,
                     Reply<std::uint32_t> reply) override {
        streams = its;
        keep("create_task", std::move(reply));
    }
    void task_state(const ContainerPlace&, Reply<ProcessState> reply) override {
        keep("task_state", std::move(reply));
    }
    void delete_task(const ContainerPlace&, Reply<ProcessEnd> reply) override {
        keep("delete_task", std::move(reply));
    }
    void remove_task(const ContainerPlace&, Done reply) override { keep("remove_task", std::move(reply)); }
    void exec(const ContainerPlace&, const std::string& name, const std::string&, const ProcessStreams&,
              Done reply) override {
        keep("exec " + name, std::move(reply));
    }
    void start(const ContainerPlace&, const std::string& process, Reply<std::uint32_t> reply) override {
        keep("start " + process, std::move(reply));
    }
    void process_state(const ContainerPlace&, const std::string& process,
                       Reply<ProcessState> reply) override {
        keep("process_state " + process, std::move(reply));
    }
    void delete_process(const ContainerPlace&, const std::string& process, Reply<ProcessEnd> reply) override {
        keep("delete_process " + process, std::move(reply));
    }
    void signal(const ContainerPlace&, const std::string& process, int, Done reply) override {
        keep("signal " + process, std::move(reply));
    }
    void resize(const ContainerPlace&, const std::string&, std::uint32_t, std::uint32_t,
                Done reply) override {
        keep("resize", std::move(reply));
    }
    void close_stdin(const ContainerPlace&, const std::string& process, Done reply) override {
        keep("close_stdin " + process, std::move(reply));
    }
    void pause(const ContainerPlace&, Done reply) override { keep("pause", std::move(reply)); }
    void resume(const ContainerPlace&, Done reply) override { keep("resume", std::move(reply)); }
    void metrics(const ContainerPlace&, Reply<Metrics> reply) override { keep("metrics", std::move(reply)); }
    void processes(const ContainerPlace&, Reply<std::vector<ListedProcess>> reply) override {
        keep("processes", std::move(reply));
    }
    void update(const ContainerPlace&, const std::string&, Done reply) override {
        keep("update", std::move(reply));
    }
    void checkpoint(const ContainerPlace&, const std::string&, bool, Done reply) override {
        keep("checkpoint", std::move(reply));
    }

  private:
    template <typename Function>
    void keep(const std::string& name, Function reply) {
        asked.push_back(name);
        replies_.emplace(name, std::any(std::move(reply)));
    }

    std::multimap<std::string, std::any> replies_;
};

// A desk, its engine, and what callers and subscribers were told, in one order.
class Fixture {
  public:
    Fixture() { make_desk(); }
    // Who waits is answered.
    ~Fixture() { desk.reset(); }
    Fixture(const Fixture&) = delete;
    Fixture& operator=(const Fixture&) = delete;

    void make_desk() {
        desk.reset();
        desk = std::make_unique<RuntimeDesk>(
            loop, Endpoint::parse("/run/x.sock"), engine,
            RuntimeSettings{.state = folder.path() / "state", .most_containers = 2},
            [this](const RuntimeSignal& signal) {
                signals.push_back(signal);
                note(std::string(to_string(signal.type)) + " " + signal.process +
                     (signal.exit_code ? ":" + std::to_string(*signal.exit_code) : ""));
            });
        desk->on_connected();
    }

    // What the answer is written down as: "NAME ok", or "NAME !KIND".
    RuntimeReply reply(const std::string& name) {
        return [this, name](Result<RuntimeAnswer> answer) {
            last = std::make_unique<Result<RuntimeAnswer>>(answer);
            note(answer ? name + " ok" : name + " !" + std::to_string(static_cast<int>(answer.error().kind)));
        };
    }
    [[nodiscard]] static std::string refused(const std::string& name, EngineError::Kind kind) {
        return name + " !" + std::to_string(static_cast<int>(kind));
    }

    void create(const CreateOptions& options = {}) {
        desk->create("web", "{}", options, reply("create"));
        engine.answer("create_container", ours());
    }
    void start() {
        desk->start("web", {}, reply("start"));
        engine.answer("create_task", std::uint32_t{7});
        engine.answer("start ", std::uint32_t{7});
    }
    // It runs, and its events have come; the answer has not.
    void start_unanswered() {
        desk->start("web", {}, reply("start"));
        engine.answer("create_task", std::uint32_t{7});
        engine.tell(RuntimeEvent::Type::created, {}, 7);
        engine.tell(RuntimeEvent::Type::started, {}, 7);
    }
    // All that was posted to the loop is done.
    void turn() {
        bool turned = false;
        loop.post([&] { turned = true; });
        REQUIRE(fakes::drive(loop, [&] { return turned; }));
    }
    [[nodiscard]] std::string story() { return std::exchange(story_, {}); }

    EventLoop loop;
    fakes::TemporaryFolder folder;
    PlayedEngine engine;
    std::unique_ptr<RuntimeDesk> desk;
    std::vector<RuntimeSignal> signals;
    std::unique_ptr<Result<RuntimeAnswer>> last;

  private:
    void note(const std::string& what) { story_ += (story_.empty() ? "" : ", ") + what; }

    std::string story_;
};

}  // namespace shorewatch::testing
