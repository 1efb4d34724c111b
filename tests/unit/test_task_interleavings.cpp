// Tasks under every mishap at every step: each call can fail, hang, be done late, or be done and reported to
// have failed; containers end, vanish and are started by others; the engine goes and comes, the daemon dies
// and comes back, the machine starts anew, the disk is full. Whatever happens, nothing is made twice or left
// over, and what is told is told once and in order.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <deque>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "tests/unit/catch.h"
#include "tests/unit/task_world.h"

using namespace shorewatch;
using namespace shorewatch::testing;

namespace {

using Kind = EngineError::Kind;
using State = DeployedContainer::State;

// What may go wrong; each a chance in a thousand, at each step.
struct Mishaps {
    unsigned call_fails = 0;         // not done, and so said
    unsigned call_lies = 0;          // done, and said to have failed
    unsigned call_hangs = 0;         // neither done nor answered
    unsigned call_late = 0;          // done and answered after its deadline
    unsigned engine_dies = 0;        // and comes back
    unsigned daemon_dies = 0;        // and comes back
    unsigned machine_dies = 0;       // all of the above, and the engine may have nothing left
    unsigned disk_full = 0;          // for a while
    unsigned container_ends = 0;     // by itself
    unsigned container_started = 0;  // by somebody else
    unsigned container_removed = 0;  // by somebody else
};

enum class Fate { well, fails, lies, hangs, late };

class Run {
  public:
    Run(std::uint64_t seed, const Mishaps& mishaps) : random_(seed), mishaps_(mishaps), world_(seed) {}

    // What was wrong; empty: nothing.
    std::string go() {
        world_.bring_up();
        constexpr std::size_t steps = 400;
        for (std::size_t step = 0; step < steps && world_.broken().empty(); ++step)
            take_step();
        if (world_.broken().empty()) calm_down();
        return world_.broken().empty() ? wrong_ : world_.broken();
    }
    [[nodiscard]] const std::string& history() const { return world_.history(); }

  private:
    bool chance(unsigned in_a_thousand) { return random_() % 1000 < in_a_thousand; }
    std::size_t pick(std::size_t of) { return static_cast<std::size_t>(random_() % of); }

    void take_step() {
        if (chance(30)) return ask_for_something();
        if (mishap()) return;
        switch (pick(8)) {
            case 0:
                if (world_.deliver_news()) return;
                break;
            case 1:
                if (world_.is_saving()) return save();
                break;
            case 2:
                if (chance(100)) {
                    world_.pass_time();
                    return;
                }
                break;
            case 3:
            case 4:
                if (!world_.calls().empty()) return meet_fate();
                break;
            default:
                if (world_.turn()) return;
                break;
        }
        rest();
    }

    // Whatever there is to do; time passes when there is nothing.
    void rest() {
        if (world_.turn() || world_.deliver_news()) return;
        if (world_.is_saving()) return save();
        const auto calls = world_.calls();
        const bool moves = std::ranges::any_of(calls, [this](const EngineCallPtr& call) {
            return fate_of(call) != Fate::hangs && fate_of(call) != Fate::late;
        });
        if (moves) return meet_fate();
        world_.pass_time();
        // Those that are late are past their deadline now, some of them.
        for (const EngineCallPtr& call : calls) {
            if (fate_of(call) == Fate::late && chance(500)) return world_.answer(call);
        }
    }

    void save() { world_.finish_save(world_.disk_trouble); }

    Fate fate_of(const EngineCallPtr& call) {
        const auto found = fates_.find(call);
        if (found != fates_.end()) return found->second;
        Fate fate = Fate::well;
        if (chance(mishaps_.call_fails)) fate = Fate::fails;
        if (chance(mishaps_.call_lies)) fate = Fate::lies;
        if (chance(mishaps_.call_hangs)) fate = Fate::hangs;
        if (chance(mishaps_.call_late)) fate = Fate::late;
        return fates_.emplace(call, fate).first->second;
    }

    void meet_fate() {
        const auto calls = world_.calls();
        const EngineCallPtr call = calls[pick(calls.size())];
        switch (fate_of(call)) {
            case Fate::well:
                return world_.answer(call);
            case Fate::fails:
                return world_.refuse(call, kind(), "the engine said no");
            case Fate::lies:
                TaskEngineModel::perform(*call);
                return world_.refuse(call, kind(), "the engine said no");
            case Fate::hangs:
            case Fate::late:
                // Being done is not being answered.
                if (chance(200)) TaskEngineModel::perform(*call);
                return;
        }
    }

    Kind kind() {
        constexpr Kind kinds[] = {Kind::engine, Kind::timeout, Kind::protocol, Kind::busy, Kind::unreachable};
        return kinds[pick(std::size(kinds))];
    }

    bool mishap() {
        if (chance(mishaps_.engine_dies)) {
            leave_undone();
            world_.bring_down();
            while (world_.turn()) {
            }
            if (chance(500)) world_.pass_time();
            world_.bring_up();
            return true;
        }
        if (chance(mishaps_.daemon_dies)) {
            leave_undone();
            world_.die(chance(500));
            end_one();
            world_.live();
            return true;
        }
        if (chance(mishaps_.machine_dies)) {
            world_.bring_down();
            world_.die(chance(500));
            if (chance(500)) {
                world_.engine.containers.clear();
                world_.engine.volumes.clear();
                world_.engine.images.clear();
            }
            for (const auto& [id, container] : world_.engine.containers)
                world_.engine.end(id, 255);
            world_.engine.news.clear();
            outside_ = true;
            world_.start_machine_anew();
            world_.live();
            world_.bring_up();
            return true;
        }
        if (chance(mishaps_.disk_full)) {
            world_.disk_trouble =
                world_.disk_trouble ? std::nullopt : std::optional<std::string>("no space left on device");
            // What could not be written is not known to whoever comes after.
            blind_ = true;
            return false;
        }
        if (chance(mishaps_.container_ends)) return end_one();
        if (chance(mishaps_.container_started)) return touch(State::stopped, &TaskEngineModel::run);
        if (chance(mishaps_.container_removed)) {
            outside_ = true;
            return touch(State::stopped, &TaskEngineModel::erase);
        }
        return false;
    }

    // Of what is under way when somebody dies, some is done, now or never.
    void leave_undone() {
        for (const EngineCallPtr& call : world_.calls()) {
            if (chance(400)) TaskEngineModel::perform(*call);
        }
    }

    bool end_one() {
        std::vector<std::string> running;
        for (const auto& [id, container] : world_.engine.containers) {
            if (container.state == State::running) running.push_back(id);
        }
        if (running.empty()) return false;
        world_.engine.end(running[pick(running.size())], chance(500) ? 0 : 1);
        return true;
    }

    bool touch(State state, void (TaskEngineModel::*what)(const std::string&)) {
        std::vector<std::string> some;
        for (const auto& [id, container] : world_.engine.containers) {
            if (container.state == state) some.push_back(id);
        }
        if (some.empty()) return false;
        (world_.engine.*what)(std::string(some[pick(some.size())]));
        return true;
    }

    void ask_for_something() {
        const std::vector<TaskView> tasks = world_.tasks().list();
        const std::size_t which = pick(7);
        if (which == 6) return ask_for_images();
        if (tasks.empty() || (which < 3 && tasks.size() < 6)) {
            world_.add(definition());
            return;
        }
        const TaskView& task = tasks[pick(tasks.size())];
        world_.note((which == 3 ? "remove " : "stop ") + task.arn);
        const std::string error = which == 3 ? world_.remove(task.arn) : world_.stop(task.arn);
        if (!error.empty()) wrong_ = error;
    }

    void ask_for_images() {
        world_.note("list images");
        images_told_.push_back(0);
        world_.tasks().list_images(
            [&told = images_told_.back()](const Result<std::vector<DeployedImage>>&) { ++told; });
    }

    // Containers that depend on those before them, in any way that makes sense.
    std::string definition() {
        const std::size_t count = 1 + pick(4);
        constexpr const char* images[] = {"db", "web", "job", "nowhere"};
        std::vector<bool> essential;
        std::string containers;
        for (std::size_t index = 0; index < count; ++index) {
            essential.push_back(index + 1 == count || chance(400));
            const std::string name = "c" + std::to_string(index);
            std::string more;
            if (index > 0 && chance(600)) {
                const std::size_t on = pick(index);
                const std::string other = "c" + std::to_string(on);
                switch (pick(essential[on] ? 3 : 5)) {
                    case 0:
                        more = R"(,"links":[")" + other + "\"]";
                        break;
                    case 1:
                        more = R"(,"volumesFrom":[{"sourceContainer":")" + other + "\"}]";
                        break;
                    default:
                        more = R"(,"dependsOn":[{"containerName":")" + other + R"(","condition":")" +
                               (essential[on] ? "START"
                                : chance(500) ? "COMPLETE"
                                              : "SUCCESS") +
                               "\"}]";
                        break;
                }
            }
            if (chance(300)) more += R"(,"mountPoints":[{"sourceVolume":"v","containerPath":"/v"}])";
            const char* image = images[chance(50) ? 3 : pick(3)];
            containers += std::string(index == 0 ? "" : ",") + R"({"name":")" + name + R"(","image":")" +
                          image + R"(","essential":)" + (essential.back() ? "true" : "false") + more + "}";
        }
        return R"({"family":"f","volumes":[{"name":"v"}],"containerDefinitions":[)" + containers + "]}";
    }

    // Nothing goes wrong any more: all that was to be is, and all that is to go goes.
    void calm_down() {
        world_.note("calm");
        fates_.clear();
        world_.disk_trouble.reset();
        world_.bring_down();
        world_.turn_all();
        world_.bring_up();
        constexpr int rounds = 20;
        for (int round = 0; round < rounds; ++round) {
            world_.settle();
            world_.pass(std::chrono::minutes(6));
        }
        world_.settle();
        check_rest();
        for (const TaskView& task : world_.tasks().list())
            (void)world_.remove(task.arn);
        world_.settle();
        world_.bring_down();
        world_.turn_all();
        world_.bring_up();
        world_.settle();
        check_nothing_left();
        check_made_once();
        if (std::ranges::any_of(images_told_, [](int times) { return times != 1; }))
            wrong("who asked for images was not answered, or not once");
    }

    void wrong(const std::string& what) {
        if (wrong_.empty()) wrong_ = what;
    }

    void check_rest() {
        for (const TaskView& task : world_.tasks().list()) {
            for (const TaskContainerView& container : task.containers) {
                const std::string name = task.arn + "/" + container.name;
                const bool waits = container.known < TaskStatus::running && !container.waits_for.empty();
                if (task.desired == TaskStatus::running && container.known < TaskStatus::running &&
                    !container.waits_for.starts_with("container "))
                    wrong(name + " is not running, and waits for '" + container.waits_for + "'");
                if (task.desired >= TaskStatus::stopped && container.known < TaskStatus::stopped)
                    wrong(name + " is not stopped, and waits for '" + container.waits_for + "'" +
                          (waits ? "" : "!"));
                const auto there = world_.engine.containers.find(container.id);
                const bool runs =
                    there != world_.engine.containers.end() && there->second.state == State::running;
                if (container.known == TaskStatus::running && !runs)
                    wrong(name + " is said to run and does not");
                // One that others have started again after it was stopped again is theirs.
                if (container.known == TaskStatus::stopped && runs && mishaps_.container_started == 0)
                    wrong(name + " is said to have stopped and runs");
            }
        }
    }

    void check_nothing_left() {
        if (!world_.tasks().list().empty()) wrong("a task is not removed");
        if (blind_) return;
        for (const auto& [id, container] : world_.engine.containers)
            wrong("container " + id + " " + container.name + " is left over");
        for (const auto& [name, owner] : world_.engine.volumes)
            wrong("volume " + name + " is left over");
    }

    // Where nobody else has removed any, and what was removed could be written down.
    void check_made_once() {
        if (outside_ || blind_) return;
        std::map<std::string, std::size_t> times;
        for (const ContainerPlan& plan : world_.engine.made) {
            std::string key;
            for (const auto& [label, value] : plan.labels) {
                if (label == task_labels::arn || label == task_labels::container) key += value + " ";
            }
            if (++times[key] > 1) wrong("container " + key + "was made twice");
        }
    }

    std::mt19937_64 random_;
    Mishaps mishaps_;
    std::deque<int> images_told_;  // how often each who asked was
    TaskWorld world_;
    std::map<EngineCallPtr, Fate> fates_;
    bool outside_ = false;
    bool blind_ = false;
    std::string wrong_;
};

// Sanitizers look at each step ten times as long, and are no better at seeing which are in the wrong order.
#ifdef __has_feature
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
constexpr std::size_t share = 10;
#else
constexpr std::size_t share = 1;
#endif
#else
constexpr std::size_t share = 1;
#endif

// SHOREWATCH_TASK_SEED runs that one alone, SHOREWATCH_TASK_RUNS so many of each kind.
void run_many(std::size_t runs, const Mishaps& mishaps) {
    const char* given = std::getenv("SHOREWATCH_TASK_SEED");
    const char* count = std::getenv("SHOREWATCH_TASK_RUNS");
    runs /= share;
    if (count != nullptr) runs = std::strtoul(count, nullptr, 10);
    const std::uint64_t first = given != nullptr ? std::strtoull(given, nullptr, 10) : std::random_device{}();
    if (given != nullptr) runs = 1;
    for (std::uint64_t seed = first; seed < first + runs; ++seed) {
        Run run(seed, mishaps);
        const std::string wrong = run.go();
        if (!wrong.empty())
            FAIL(wrong << "\nwith SHOREWATCH_TASK_SEED=" << seed << "\nafter " << run.history());
    }
}

}  // namespace

TEST_CASE("tasks come up and go, whatever order things happen in", "[calm]") {
    run_many(300, {.container_ends = 10});
}

TEST_CASE("calls of the engine can fail, hang, be late and lie", "[calls]") {
    run_many(400, {.call_fails = 80, .container_ends = 5});
    run_many(400, {.call_lies = 80, .container_ends = 5});
    run_many(400, {.call_hangs = 80, .container_ends = 5});
    run_many(400, {.call_late = 80, .container_ends = 5});
    run_many(400, {.call_fails = 50, .call_lies = 50, .call_hangs = 50, .call_late = 50});
}

TEST_CASE("the engine can die at any time and come back", "[engine]") {
    run_many(500, {.engine_dies = 20, .container_ends = 5});
    run_many(500, {.call_fails = 30, .call_lies = 30, .call_late = 30, .engine_dies = 20});
}

TEST_CASE("the daemon can die at any time and come back", "[daemon]") {
    run_many(600, {.daemon_dies = 30, .container_ends = 5});
    run_many(600, {.call_fails = 30,
                   .call_lies = 30,
                   .call_hangs = 30,
                   .call_late = 30,
                   .engine_dies = 10,
                   .daemon_dies = 30});
}

TEST_CASE("the machine can die at any time and come back", "[machine]") {
    run_many(500, {.daemon_dies = 10, .machine_dies = 10, .container_ends = 5});
}

TEST_CASE("others can start and remove what belongs to tasks", "[others]") {
    run_many(500, {.engine_dies = 5, .container_ends = 20, .container_started = 20, .container_removed = 10});
}

TEST_CASE("the disk can be full for a while", "[disk]") {
    run_many(500, {.daemon_dies = 5, .disk_full = 10, .container_ends = 5});
}

TEST_CASE("everything can go wrong at once", "[all]") {
    run_many(1200, {.call_fails = 30,
                    .call_lies = 30,
                    .call_hangs = 20,
                    .call_late = 30,
                    .engine_dies = 10,
                    .daemon_dies = 10,
                    .machine_dies = 3,
                    .container_ends = 10,
                    .container_started = 5,
                    .container_removed = 3});
}
