// The task engine as a daemon has it, on a loop and a state file of its own, with no engine below it.
#pragma once

#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>

#include "daemon/tasks/task_engine.h"
#include "tests/unit/task_engine_model.h"

namespace shorewatch::testing {

// With the arn "t".
inline const std::string definition =
    R"({"family":"shop","containerDefinitions":[{"name":"db","image":"db"},{"name":"job","image":"job",)"
    R"("essential":false,"mountPoints":[{"sourceVolume":"v","containerPath":"/v"}]}],"volumes":[{"name":"v"}],)"
    R"("taskArn":"t"})";

inline std::string text_in(const std::filesystem::path& file) {
    std::ifstream stream(file);
    return {std::istreambuf_iterator<char>(stream), {}};
}

inline void write(const std::filesystem::path& file, const std::string& text) {
    std::ofstream(file) << text;
}

class TaskDaemon {
  public:
    explicit TaskDaemon(const std::filesystem::path& file) {
        settings_.state_file = file;
        model_.on_call = [](const EngineCallPtr&) {};
        engine_ = make_task_engine(loop_, model_, settings_);
    }
    TaskEngine& tasks() { return *engine_; }
    // Runs the loop until problem() is, or no longer is, empty.
    std::string await_problem(bool some) {
        Timer deadline(loop_, [this] { loop_.stop(); });
        deadline.arm_after(std::chrono::seconds(20));
        const EventSource check = loop_.before_wait([this, some] {
            if (engine_->problem().empty() != some) loop_.stop();
        });
        loop_.run();
        return engine_->problem();
    }
    void end() { engine_.reset(); }

  private:
    EventLoop loop_;
    TaskEngineModel model_;
    TaskSettings settings_;
    std::unique_ptr<TaskEngine> engine_;
};

}  // namespace shorewatch::testing
