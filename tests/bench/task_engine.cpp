// How long many tasks take to come up and to go, and what that costs, on an engine that answers at once:
// what is left is the task engine's own work and its writes to disk.
//
//   task-engine-bench [TASKS [CONTAINERS]]     500 tasks of 2 containers, the second linked to the first
#include "daemon/tasks/task_engine.h"

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>

#include <sys/resource.h>

#include "engines/support/event_loop.h"
#include "engines/support/log.h"
#include "tests/fakes/temporary_folder.h"
#include "tests/unit/task_engine_model.h"

using namespace shorewatch;
using namespace shorewatch::testing;

namespace {

double cpu_seconds() {
    rusage usage{};
    ::getrusage(RUSAGE_SELF, &usage);
    const auto seconds = [](const timeval& time) {
        return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
    };
    return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

std::string definition(std::size_t task, std::size_t containers) {
    std::string text =
        R"({"taskArn":"t)" + std::to_string(task) + R"(","family":"f","containerDefinitions":[)";
    for (std::size_t index = 0; index < containers; ++index) {
        text += std::string(index == 0 ? "" : ",") + R"({"name":"c)" + std::to_string(index) +
                R"(","image":"web")";
        if (index > 0) text += R"(,"links":["c)" + std::to_string(index - 1) + "\"]";
        text += "}";
    }
    return text + "]}";
}

// Counts what is told, and stops the loop when all tasks have come to a status.
class Counter final : public TaskEngineObserver {
  public:
    Counter(EventLoop& loop, std::size_t tasks) : loop_(loop), tasks_(tasks) {}
    void await(TaskStatus status) {
        awaited_ = status;
        count_ = 0;
    }
    [[nodiscard]] std::size_t told() const { return told_; }

    void task_added(const TaskView&) override {}
    void container_status_changed(const TaskView&, const TaskContainerView&) override { ++told_; }
    void task_status_changed(const TaskView& task) override {
        ++told_;
        if (task.known == awaited_ && ++count_ == tasks_) loop_.stop();
    }
    void task_changed(const TaskView&) override { ++told_; }
    void task_removed(const TaskView&) override {}
    void problem_changed(const std::string& problem) override { std::printf("%s\n", problem.c_str()); }

  private:
    EventLoop& loop_;
    std::size_t tasks_;
    TaskStatus awaited_ = TaskStatus::none;
    std::size_t count_ = 0;
    std::size_t told_ = 0;
};

// Of what is done until the loop stops.
template <typename What>
void measure(const char* name, EventLoop& loop, What what) {
    const Clock::time_point begin = Clock::now();
    const double cpu = cpu_seconds();
    what();
    loop.run();
    const double wall = std::chrono::duration<double>(Clock::now() - begin).count();
    std::printf("%-28s %8.3f s   CPU %8.3f s\n", name, wall, cpu_seconds() - cpu);
}

}  // namespace

int main(int argc, char** argv) {
    const std::size_t tasks = argc > 1 ? std::strtoul(argv[1], nullptr, 10) : 500;
    const std::size_t containers = argc > 2 ? std::strtoul(argv[2], nullptr, 10) : 2;
    log::set_level(log::Level::warning);
    const fakes::TemporaryFolder folder;
    TaskSettings settings;
    settings.state_file = folder.path() / "tasks.json";
    EventLoop loop;
    TaskEngineModel model;
    model.pullable = {"web"};
    model.on_call = [&](const EngineCallPtr& call) {
        loop.post([&model, call] {
            TaskEngineModel::perform(*call);
            TaskEngineModel::answer(*call);
            while (!model.news.empty()) {
                const EngineNews news = model.news.front();
                model.news.pop_front();
                if (news.exit_code) {
                    model.observer()->on_container_exited(news.id, news.exit_code, false, {});
                } else {
                    model.observer()->on_container_started(news.id);
                }
            }
        });
    };
    Counter counter(loop, tasks);
    const std::unique_ptr<TaskEngine> engine = make_task_engine(loop, model, settings);
    engine->set_observer(&counter);
    model.observer()->on_engine_up();

    std::printf("%zu tasks of %zu containers\n", tasks, containers);
    counter.await(TaskStatus::running);
    measure("to steady state", loop, [&] {
        for (std::size_t task = 0; task < tasks; ++task)
            (void)engine->add(definition(task, containers));
    });
    counter.await(TaskStatus::dead);
    measure("until nothing is left", loop, [&] {
        for (std::size_t task = 0; task < tasks; ++task)
            (void)engine->remove("t" + std::to_string(task));
    });
    std::printf("%zu things told, %zu containers made, state of %ju bytes at the end\n", counter.told(),
                model.made.size(),
                static_cast<std::uintmax_t>(std::filesystem::file_size(settings.state_file)));
    engine->set_observer(nullptr);
    return 0;
}
