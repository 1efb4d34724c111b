// The task engine itself: all tasks, what they share, and what is told of them.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "daemon/tasks/alarms.h"
#include "daemon/tasks/engine_calls.h"
#include "daemon/tasks/image_desk.h"
#include "daemon/tasks/pull_desk.h"
#include "daemon/tasks/state_saver.h"
#include "daemon/tasks/surroundings.h"
#include "daemon/tasks/task_actor.h"
#include "daemon/tasks/task_backend.h"
#include "daemon/tasks/task_engine.h"
#include "daemon/tasks/task_state.h"

namespace shorewatch {

// Of the folder of tasks: what is to be followed now.
struct TaskFiles {
    struct File {
        std::string name;
        std::string text;
    };
    std::vector<File> files = {};
    std::vector<std::string> unreadable = {};  // names of further files, which are there
    std::vector<std::string> problems = {};    // printable lines
    bool is_complete = true;                   // else there may be others
};
// An empty path: none.
[[nodiscard]] TaskFiles read_tasks_folder(const std::filesystem::path& folder);

class TaskSupervisor final : public TaskEngine, private TaskHouse, private TaskBackendObserver {
  public:
    // What was kept of an earlier life.
    struct Kept {
        TaskState state = {};
        // Why nothing is to be written: what is there was not understood. Empty: it may be.
        std::string forbidden = {};
        std::string problem = {};  // what else an administrator has to know
    };

    // All outlive it.
    TaskSupervisor(std::unique_ptr<TaskSurroundings> surroundings, TaskBackend& backend,
                   const TaskSettings& settings, Kept kept);
    ~TaskSupervisor() override;

    void set_observer(TaskEngineObserver* observer) override;
    [[nodiscard]] std::variant<std::string, TaskError> add(const std::string& definition) override;
    [[nodiscard]] std::optional<TaskError> stop(std::string_view arn) override;
    [[nodiscard]] std::optional<TaskError> remove(std::string_view arn) override;
    void when_kept(std::function<void()> then) override { saver_.when_tried(std::move(then)); }
    [[nodiscard]] std::vector<TaskView> list() const override;
    [[nodiscard]] std::optional<TaskView> find(std::string_view arn) const override;
    void list_images(EngineDeployment::ImagesReply reply) override;
    [[nodiscard]] std::string export_state() const override;
    [[nodiscard]] std::string problem() const override;
    void reload(const TaskSettings& settings) override;
    // The same with what is in the folder of tasks, and with these credentials.
    void follow(const TaskFiles& files);
    void use_credentials(CredentialsByRegistry credentials) { credentials_ = std::move(credentials); }

  private:
    enum class EngineState { down, listing, up };

    // TaskHouse
    [[nodiscard]] EngineCalls& calls() override { return calls_; }
    [[nodiscard]] PullDesk& pulls() override { return pulls_; }
    [[nodiscard]] Alarms& alarms() override { return alarms_; }
    [[nodiscard]] TaskSurroundings& surroundings() override { return *surroundings_; }
    [[nodiscard]] bool engine_is_up() const override { return engine_ == EngineState::up; }
    [[nodiscard]] std::string engine_awaited() const override;
    [[nodiscard]] const std::string& owner() const override { return owner_; }
    [[nodiscard]] std::optional<RegistryCredentials> credentials_of(
        const std::string& registry) const override;
    [[nodiscard]] std::chrono::seconds cleanup_after() const override { return settings_.cleanup_after; }
    [[nodiscard]] StateSaver::Number keep() override { return saver_.change(); }
    [[nodiscard]] bool is_kept(StateSaver::Number change) const override { return saver_.was_tried(change); }
    void container_reached(TaskActor& task, std::size_t container) override;
    void container_identified(TaskActor& task, std::size_t container) override;
    void task_reached(TaskActor& task) override;
    void task_changed(TaskActor& task) override;
    void task_looks_different(TaskActor& task) override;
    void task_over(TaskActor& task) override;
    void found_left_over(const std::string& id) override;

    // TaskBackendObserver
    void on_engine_up() override;
    void on_engine_down(const std::string& why) override;
    void on_container_started(const std::string& id) override;
    void on_container_exited(const std::string& id, std::optional<int> code, std::optional<bool> oom_killed,
                             std::optional<RealTime> time) override;

    [[nodiscard]] std::variant<std::string, TaskError> take(const WantedTask& wanted,
                                                            const std::string& file);
    [[nodiscard]] std::optional<TaskError> limit_for(const WantedTask& wanted) const;
    [[nodiscard]] std::optional<TaskError> take_again(TaskActor& actor, const WantedTask& wanted);
    void add_actor(TaskRecord record, bool restored);
    void remove_entry(const std::string& arn);
    [[nodiscard]] std::string free_name(const std::function<std::string(const std::string&)>& make) const;
    void listed(const Result<std::vector<DeployedContainer>>& containers);
    void find_left_over(const std::vector<DeployedContainer>& containers);
    [[nodiscard]] TaskActor* actor_of(std::string_view arn) const;
    [[nodiscard]] std::string state_text() const;
    void flush();
    void tell_problem();
    void tell_untold(TaskActor& task);
    void saved();

    // task_supervisor_files.cpp
    void follow_again();
    [[nodiscard]] std::string follow_file(const TaskFiles::File& file);
    [[nodiscard]] std::string follow_wanted(const std::string& name, WantedTask wanted);
    void drop_file(const std::string& name);
    [[nodiscard]] std::string shown(const std::string& name) const;
    [[nodiscard]] std::vector<TaskActor*> actors_of_file(const std::string& name) const;
    void read_credentials();

    std::unique_ptr<TaskSurroundings> surroundings_;
    TaskBackend& backend_;
    TaskSettings settings_;
    Alarms alarms_;
    EngineCalls calls_;
    PullDesk pulls_;
    ImageDesk images_;
    std::string owner_;
    std::string boot_;
    CredentialsByRegistry credentials_;
    TaskEngineObserver* observer_ = nullptr;

    EngineState engine_ = EngineState::down;
    std::string why_down_;
    std::uint64_t listing_ = 0;  // the number of the last
    Alarm listing_retry_;
    bool had_tasks_;  // ever

    std::map<std::string, std::shared_ptr<TaskActor>, std::less<>> tasks_;
    // Of all tasks.
    std::size_t definition_bytes_ = 0;
    std::size_t container_total_ = 0;
    // By their ids at the engine.
    std::unordered_map<std::string, std::pair<std::weak_ptr<TaskActor>, std::size_t>> containers_;
    std::set<std::string> changed_;  // arns of tasks whose change is to be told
    bool flush_is_due_ = false;

    TaskFiles files_;
    std::map<std::string, FollowedFile, std::less<>> followed_;
    std::string file_problem_;
    std::string credentials_problem_;
    std::string state_problem_;
    std::string told_problem_;
    StateSaver saver_;
    // Of callbacks that may come after this.
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace shorewatch
