// A world for the run tracker: engines' truth on one side, what the tracker publishes on the other, and
// between them a stream, lists and inspections whose steps can be taken in any order.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "daemon/run_tracker.h"

namespace shorewatch::testing {

// Something done to a container.
struct Deed {
    enum class Kind { start, die, pause, unpause, rename, remove };
    Kind kind;
    std::string id = "c";
};

constexpr std::size_t everything = SIZE_MAX;

struct Traits {
    bool list_is_complete = false;  // the list has pids, as Podman's; else all is inspected, as with Docker
    bool exit_events_tell_code = true;  // else only an inspection does
    bool auto_remove = false;           // docker run --rm
    bool events_are_doubled = false;    // each is told twice
    bool can_be_cut = false;            // the stream may be lost once …
    std::size_t replayed = 0;           // … and of what was not delivered, the last so many events come again
    bool kernel_tells = false;          // of the end of each run that is published while it lives, …
    bool kernel_tells_code = false;     // … and how it ended
    // The engine learns of an end only later, and has the container alive until then. After a cut it may
    // learn of it without a word, as engines do that start.
    bool engine_lags = false;
    // … and may have forgotten of it what it knew and told: it has it alive again, until it has looked.
    bool engine_forgets = false;
    // … which it tells then, once more, as containerd does of shims that it finds dead.
    bool ends_told_again = false;
    bool events_have_pids = false;
    bool exits_told_late = false;  // … and may tell of it after the start of the next run
};

class TrackerWorld final : private RunTracker::Output {
  public:
    TrackerWorld(std::vector<Deed> script, Traits traits);

    // Done before the stream was opened.
    void before(const std::vector<Deed>& deeds);
    void open_stream();

    // The steps that can be taken now; take() takes one of them. None: all is at rest but time.
    [[nodiscard]] std::size_t choices() const;
    void take(std::size_t choice);
    // Lets time pass until the tracker's deadlines have gone by; false when there are none.
    bool let_time_pass();

    // What is wrong with what was published, compared with what was; empty when nothing is.
    [[nodiscard]] std::string verdict() const;
    [[nodiscard]] std::string history() const;

  private:
    struct Run {
        RealTime started;
        std::optional<RealTime> ended;
        int code = 0;
        std::uint32_t pid = 0;
        bool told = false;         // to the tracker: its start was delivered, or a list with its pid in
        bool untraceable = false;  // the engine has learned of its end without a word
    };
    struct Box {
        ContainerPtr now;  // pid 0: dead
        std::vector<Run> runs;
        bool removed = false;
        std::optional<int> unlearned;  // the exit code of the run that is over, as the engine does not know
        bool may_learn_silently = false;
        bool has_forgotten = false;
        [[nodiscard]] bool lives() const { return !runs.empty() && !runs.back().ended; }
    };
    struct Inquiry {
        std::string id;
        std::shared_ptr<const Result<Inspection>> answer;  // null: not looked yet
    };
    struct Published {
        bool alive = false;
        std::vector<ContainerStarted> started;
        std::vector<ContainerExited> exited;
        std::string wrong;
    };
    // A published run's process, as the daemon holds it.
    struct Held {
        std::string id;
        std::uint32_t pid;
        bool gone = false;  // before it could be held
    };
    enum class Step {
        deed,
        deliver,
        list_asked,
        list_answer,
        inspect_asked,
        inspect_answer,
        kernel,
        learn,
        learn_silently,
        cut
    };
    struct Choice {
        Step step;
        std::size_t index = 0;
    };

    void inspect(const std::string& id) override;
    [[nodiscard]] bool lives(const std::string& id) override;
    void publish(Change change) override;
    [[nodiscard]] std::vector<Choice> all_choices() const;
    void perform(const Deed& deed, bool told);
    void do_to(Box& box, const Deed& deed, bool told);
    void start(Box& box, const std::string& id, bool told);
    void die(Box& box, bool told);
    void learn(Box& box, bool told);
    void forget(Box& box);
    [[nodiscard]] static const Run& run_told_of(ContainerEvent::Type type, const Box& box);
    void tell(ContainerEvent::Type type, const Box& box, std::optional<int> code, bool told);
    [[nodiscard]] Result<Inspection> inspect_now(const std::string& id) const;
    [[nodiscard]] std::vector<ContainerPtr> list_now() const;
    [[nodiscard]] const Run* run_with(const Held& held) const;
    void deliver();
    void answer_list();
    void tell_by_kernel(std::size_t index);
    void cut();
    void mark_told(const std::string& id, const std::function<bool(const Run&)>& which);
    [[nodiscard]] std::string verdict_of(const std::string& id, const Box& box) const;

    Traits traits_;
    std::deque<Deed> script_;
    std::map<std::string, Box> boxes_;
    std::int64_t clock_ = 1000;
    std::uint32_t last_pid_ = 100;
    Clock::time_point now_{};

    std::deque<ContainerEvent> stream_;
    std::optional<RealTime> last_told_;
    bool cut_ = false;
    bool list_wanted_ = false;
    std::optional<std::vector<ContainerPtr>> list_answer_;  // with pids, whatever the engine leaves out
    std::vector<Inquiry> inquiries_;
    std::vector<Held> held_;

    Portfolio portfolio_;
    RunTracker tracker_;
    std::map<std::string, Published> published_;
    std::string history_;
};

}  // namespace shorewatch::testing
