// A container as this project sees it: an immutable value, shared between threads by pointer.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engines/support/timestamp.h"

namespace shorewatch {

// Labels sorted by key, each key once. Keys and values are valid UTF-8 without NUL.
class Labels {
  public:
    using Entry = std::pair<std::string, std::string>;

    // The most that is kept of one container's labels, keys and values together, in bytes: anyone who may
    // start a container may label it, and a D-Bus message has its limits. What does not fit is left out by
    // whole keys.
    static constexpr std::size_t max_bytes = std::size_t{64} * 1024;

    Labels() = default;
    // Makes any text valid and keeps as many entries as fit, smaller ones first. Of equal keys the last
    // counts.
    explicit Labels(std::vector<Entry> entries);
    // None, because there was no room for them.
    [[nodiscard]] static Labels all_left_out();
    // These and one more; truncated when these are, or when something must be left out for it.
    [[nodiscard]] Labels with(std::string key, std::string value) const;

    [[nodiscard]] const std::vector<Entry>& entries() const noexcept { return entries_; }
    [[nodiscard]] const std::string* find(std::string_view key) const noexcept;
    [[nodiscard]] bool truncated() const noexcept { return truncated_; }  // was anything left out?
    [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }   // of keys and values

    bool operator==(const Labels&) const = default;

  private:
    std::vector<Entry> entries_;
    std::size_t bytes_ = 0;
    bool truncated_ = false;
};

struct Container;
using ContainerPtr = std::shared_ptr<const Container>;

// One run of a container. All strings are valid UTF-8 without NUL. Filled in by an engine's folder, and
// constant from then on: everybody else has it as ContainerPtr.
struct Container {
    std::string id;    // the engine's identifier: identity, for ever
    std::string name;  // the user's name for it, without Docker's leading slash; can change by rename
    std::shared_ptr<const Labels> labels = std::make_shared<const Labels>();  // never null
    std::string project;    // composer project; empty: the zero project, of containers that belong to none
    std::string image;      // as the user named it
    std::uint32_t pid = 0;  // of the initial process, in our pid namespace; 0: not known (yet)
    std::optional<RealTime> started;  // when this run began, the engine's word
    bool paused = false;
    bool privileged = false;
    std::string name_space;  // containerd's or Kubernetes' namespace; empty where there is none
    std::string pod;         // name and id of the pod it belongs to, empty where there is none
    std::string pod_id;
    bool sandbox = false;  // a pod's infrastructure container
    // False where the engine's exit events of this container can't be believed as to the exit code (Docker: a
    // label named exitCode replaces it in the event); then the code comes from inspect.
    bool exit_events_tell_code = true;
    // In an event that carries no more than the id: name is made of it, labels and the like are not known.
    bool by_id_alone = false;

    // The same run? Told by pid and start time, as far as both sides know them.
    [[nodiscard]] bool is_same_run(const Container& other) const noexcept;

    // Did this run begin after time? Not if either is unknown.
    [[nodiscard]] bool started_after(std::optional<RealTime> time) const noexcept;

    [[nodiscard]] ContainerPtr with_paused(bool now_paused) const;
    [[nodiscard]] ContainerPtr with_pid(std::uint32_t its_pid) const;
    [[nodiscard]] ContainerPtr with_name(std::string new_name) const;
    // What is said of a run that is over: neither pid nor paused.
    [[nodiscard]] ContainerPtr without_process() const;
};

// The composer project that labels tell of (docker compose, podman-compose, nerdctl compose), or the family
// of the task (daemon/tasks/task_record.h), or "". The beginning of one that is longer than names are.
[[nodiscard]] std::string project_of(const Labels& labels);

}  // namespace shorewatch
