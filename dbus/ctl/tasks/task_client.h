// The task engine, as the commands ask it.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "dbus/compat/sdbus_client.h"
#include "dbus/ctl/bus_client.h"
#include "dbus/ctl/daemon_owner.h"
#include "dbus/ctl/properties.h"

namespace shorewatch::ctl {

inline constexpr const char* tasks_path = "/org/shorewatch1/tasks";
inline constexpr const char* task_engine_interface = "org.shorewatch1.TaskEngine";
inline constexpr const char* task_interface = "org.shorewatch1.Task";

// One container of a task.
struct TaskContainerInfo {
    std::string name;
    std::string image;
    std::string id;  // the engine's; empty: none
    std::string engine_name;
    std::string desired;
    std::string known;
    std::string waits_for;
    std::string reason;
    bool essential = true;
    std::uint32_t position = 0;
    std::optional<std::int32_t> exit_code;
    bool oom_killed = false;
    std::uint64_t started_at = 0;   // µs since 1970; 0: not known
    std::uint64_t finished_at = 0;  // the same
};

struct TaskInfo {
    std::string path;
    std::string arn;
    std::string family;
    std::string version;
    std::string file;
    std::string desired;
    std::string known;
    std::string reason;
    std::uint64_t added_at = 0;  // µs since 1970; 0: not known
    std::uint64_t stopped_at = 0;
    std::uint64_t cleanup_at = 0;
    std::vector<TaskContainerInfo> containers;  // in the definition's order
    Properties properties;                      // all of them, these included
};
[[nodiscard]] TaskInfo task_info(std::string path, Properties properties);

// An image at the engine that tasks are run on.
struct ImageInfo {
    std::string id;
    std::vector<std::string> names;
    std::uint64_t size = 0;        // in bytes; 0: not known
    std::uint64_t created_at = 0;  // µs since 1970; 0: not known
};

// One signal of the task engine.
struct TaskEvent {
    std::string arn;
    std::string container;  // empty: of the task itself
    std::string status;
    std::string reason;  // of the task
    std::string path;
    std::uint64_t sequence = 0;
    Properties details;
};

// Calls throw CommandError.
class TaskClient {
  public:
    explicit TaskClient(const BusClient& client);

    // The arn of what was added.
    [[nodiscard]] std::string add(const std::string& definition) const;
    // Sorted by arn.
    [[nodiscard]] std::vector<TaskInfo> list() const;
    // By its arn, or by the beginning of it or its family, where that fits one only.
    [[nodiscard]] TaskInfo find(const std::string& name) const;
    void stop(const std::string& name) const;
    void remove(const std::string& name) const;
    // Sorted by names.
    [[nodiscard]] std::vector<ImageInfo> images() const;
    [[nodiscard]] std::string export_state() const;
    // What an administrator has to see to; empty: nothing.
    [[nodiscard]] std::string problem() const;

  private:
    template <typename... Results, typename... Arguments>
    std::tuple<Results...> ask(const std::string& doing, const char* method, Right right,
                               const Arguments&... arguments) const;
    void act(const std::string& name, const std::string& verb, const char* method) const;

    const BusClient& client_;
    std::unique_ptr<sdbus::IProxy> engine_;
};

// The signals of the task engine.
class TaskEvents {
  public:
    // on_return: there is another daemon than before. Both throw nothing. Throws sdbus::Error.
    TaskEvents(sdbus::IConnection& connection, std::function<void(const TaskEvent&)> on_event,
               std::function<void()> on_return);
    ~TaskEvents();
    TaskEvents(const TaskEvents&) = delete;
    TaskEvents& operator=(const TaskEvents&) = delete;

  private:
    void take(sdbus::Message& message, bool of_container);

    std::function<void(const TaskEvent&)> on_event_;
    DaemonOwner owner_;
    bus::Match task_match_;
    bus::Match container_match_;
};

}  // namespace shorewatch::ctl
