// A run tracker that is driven by hand, one event, list or answer at a time.
#pragma once

#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "daemon/run_tracker.h"
#include "tests/unit/catch.h"

namespace shorewatch::testing {

using Type = ContainerEvent::Type;

inline RealTime at(int seconds) {
    return RealTime{std::chrono::seconds(seconds)};
}

inline ContainerPtr make(int started, std::uint32_t pid, const std::string& name = "web") {
    auto container = std::make_shared<Container>();
    container->id = "c";
    container->name = name;
    container->pid = pid;
    if (started > 0) container->started = at(started);
    return container;
}

inline ContainerPtr outline(const std::string& name = "web") {
    return make(0, 0, name);
}

inline Inspection alive(int started, std::uint32_t pid, bool paused = false) {
    return {make(started, pid)->with_paused(paused), true, {}, {}, false};
}

inline Inspection dead(int started, int finished, int exit_code) {
    return {make(started, 0), false, exit_code, at(finished), false};
}

// Drives a tracker by hand; told is what it published, a word each.
struct Hand : RunTracker::Output {
    Portfolio portfolio;
    RunTracker tracker{portfolio, *this};
    std::deque<std::string> asked;
    std::vector<std::string> told;
    std::vector<std::string> names;               // of the containers in what was told of starts and ends
    std::vector<std::optional<RealTime>> starts;  // when, as it was told
    Clock::time_point now{};
    bool process_lives = false;  // as the kernel has it

    Hand() { tracker.on_list_asked(at(100)); }
    Hand(const Hand&) = delete;
    Hand& operator=(const Hand&) = delete;
    virtual ~Hand() = default;

    void inspect(const std::string& id) override { asked.push_back(id); }
    [[nodiscard]] bool lives(const std::string& /*id*/) override { return process_lives; }
    void publish(Change change) override {
        std::visit([this](const auto& c) { note(c); }, change);
    }

    void event(Type type, int time, std::optional<int> code = {}, const std::string& name = "web") {
        tracker.on_event({type, outline(name), at(time), code}, now);
    }
    // From an engine whose events have the pid.
    void event_of(std::uint32_t pid, Type type, int time, std::optional<int> code) {
        tracker.on_event({type, make(0, pid), at(time), code}, now);
    }
    void list(const std::vector<ContainerPtr>& entries) { tracker.on_list(entries, now); }
    void answer(const Result<Inspection>& result) {
        REQUIRE_FALSE(asked.empty());
        const std::string id = asked.front();
        asked.pop_front();
        tracker.on_inspected(id, result, now);
    }
    void pass(Clock::duration time) {
        now += time;
        tracker.on_deadline(now);
    }
    // What was told since the last call.
    std::string take() {
        std::string words;
        for (const std::string& word : told)
            words += (words.empty() ? "" : " ") + word;
        told.clear();
        return words;
    }

  private:
    static std::string cause(Cause cause) {
        return cause == Cause::event ? "" : std::string("/") + to_string(cause);
    }
    void note(const ContainerStarted& c) {
        names.push_back(c.container->name);
        starts.push_back(c.time);
        told.push_back((c.container->pid != 0 ? "started:" + std::to_string(c.container->pid) : "started") +
                       cause(c.cause));
    }
    void note(const ContainerExited& c) {
        names.push_back(c.container->name);
        const std::string code = c.exit_code ? std::to_string(*c.exit_code) : "?";
        told.push_back("exited:" + code + (c.oom_killed.value_or(false) ? ":oom" : "") + cause(c.cause));
    }
    void note(const ContainerPaused& c) { told.push_back("paused" + cause(c.cause)); }
    void note(const ContainerUnpaused& c) { told.push_back("unpaused" + cause(c.cause)); }
    void note(const ContainerRenamed& c) { told.push_back("renamed:" + c.container->name + cause(c.cause)); }
    void note(const EngineChanged&) {}
};

inline const EngineError none{EngineError::Kind::not_found, "no such container"};
inline const EngineError hung{EngineError::Kind::timeout, "no answer"};

// A hand that has published one container, with pid 7, started at 200.
struct Published final : Hand {
    Published() {
        list({});
        event(Type::started, 201);
        answer(alive(200, 7));
        REQUIRE(take() == "started:7");
    }
};

}  // namespace shorewatch::testing
