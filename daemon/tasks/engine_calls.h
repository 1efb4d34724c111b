// The calls of the task engine to its engine: each with a deadline, and few at a time, so that hundreds of
// tasks don't make an engine miss the deadlines of all of them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "daemon/tasks/alarms.h"
#include "daemon/tasks/surroundings.h"
#include "daemon/tasks/task_backend.h"

namespace shorewatch {

// How long each may take, from when the engine gets it.
namespace deadlines {
inline constexpr Clock::duration pull = std::chrono::hours(2);
inline constexpr Clock::duration create = std::chrono::minutes(1);  // volumes, too
inline constexpr Clock::duration start = std::chrono::minutes(1);
inline constexpr Clock::duration stop = std::chrono::seconds(30);     // on top of the time it may take
inline constexpr Clock::duration inspect = std::chrono::seconds(10);  // and of images
inline constexpr Clock::duration list = std::chrono::minutes(1);
inline constexpr Clock::duration remove = std::chrono::minutes(5);  // volumes, too
}  // namespace deadlines

// Does this error say nothing of what was asked for, so that the same can be asked again?
[[nodiscard]] bool is_outage(const EngineError& error) noexcept;

// How long to wait before the next attempt, after a wait of `last` (0: none): 1 s, and twice as long each
// time, up to 5 min.
[[nodiscard]] Clock::duration next_pause(Clock::duration last) noexcept;

// Each reply is called once, from the loop: with what the engine answers, or with an error of kind timeout.
class EngineCalls {
  public:
    using Done = TaskBackend::Done;
    using TextReply = TaskBackend::TextReply;
    using ContainerReply = TaskBackend::ContainerReply;
    using ContainersReply = TaskBackend::ContainersReply;
    using ImagesReply = TaskBackend::ImagesReply;

    // Under way at a time; others wait in line. Pulls and stops take long, and the engine little: they don't
    // count.
    static constexpr std::size_t most_at_a_time = 16;

    // Both outlive it, and so do the replies what they use.
    EngineCalls(TaskBackend& backend, TaskSurroundings& surroundings, Alarms& alarms)
        : backend_(backend), surroundings_(surroundings), alarms_(alarms) {}
    EngineCalls(const EngineCalls&) = delete;
    EngineCalls& operator=(const EngineCalls&) = delete;
    ~EngineCalls() = default;

    void pull(const std::string& image, const std::optional<RegistryCredentials>& credentials, Done reply);
    void find_image(const std::string& image, Done reply);
    void list_images(ImagesReply reply);
    // late: called with the id of a container that was made after its deadline.
    void create(const ContainerPlan& plan, TextReply reply, std::function<void(const std::string&)> late);
    void start(const std::string& id, Done reply);
    void stop(const std::string& id, std::chrono::seconds timeout, Done reply);
    void inspect(const std::string& id_or_name, ContainerReply reply);
    void find_containers(const std::string& label, ContainersReply reply);
    void remove(const std::string& id, Done reply);
    // ended: called when the engine has answered, whatever that is, also after the deadline; or when it was
    // not asked. Until then it may still make it.
    void create_volume(const std::string& name, const StringPairs& labels, Done reply,
                       std::function<void()> ended);
    void remove_volume(const std::string& name, Done reply);

    // The engine is gone: what waits in line will not be asked, and is answered by an error of kind
    // unreachable.
    void lose(const std::string& why);

  private:
    struct Nothing {};
    // One that is under way, or was and is late.
    struct Call {
        Alarm deadline;
        bool counts = false;
        bool answered = false;
    };
    struct Waiting {
        std::function<void()> launch;
        std::function<void(const EngineError&)> refuse;
    };

    template <typename Value>
    struct Question {
        std::string what;  // "create container web", for the error
        Clock::duration deadline{};
        bool counts = true;
        std::function<void(std::function<void(Result<Value>)>)> ask;
        std::function<void(Result<Value>)> reply;
        std::function<void(Result<Value>)> late = {};
        std::function<void()> ended = {};
    };
    template <typename Value>
    void put(Question<Value> question);
    template <typename Value>
    void launch(const std::shared_ptr<Question<Value>>& question);
    void put_done(std::string what, Clock::duration deadline, bool counts, std::function<void(Done)> ask,
                  Done reply, std::function<void()> ended = {});
    void end(Call& call);

    TaskBackend& backend_;
    TaskSurroundings& surroundings_;
    Alarms& alarms_;
    std::size_t under_way_ = 0;
    std::deque<Waiting> waiting_;
    // The backend may answer after this is gone.
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace shorewatch
