// The initial process of a container's run, held: what the kernel says of it, and a descriptor of it.
//
// Engines tell a number, which may be another process's by the time it is looked up. Here it is opened first
// and then shown to be of this run, so that whoever has an InitProcess has the right process, also after it
// has gone.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "daemon/processes/cgroups.h"
#include "daemon/processes/descriptor_budget.h"
#include "engines/container.h"
#include "engines/support/process.h"
#include "engines/support/unique_fd.h"

namespace shorewatch {

class InitProcess {
  public:
    // What the kernel says of a process; constant while the process lives.
    struct Facts {
        Process process;
        // The container's own, below which all its processes are; none: it has none of its own.
        std::optional<Cgroup> cgroup;
        // Of the pid namespace whose first process it is (its inode, which no other namespace has at the
        // time); 0: it is not the first process of one, or we may not know (CAP_SYS_PTRACE).
        std::uint64_t pid_namespace = 0;
        // The systemd unit that its cgroup belongs to: of a user's manager if that is closer; empty: none.
        std::string unit;
        // May we look at it (CAP_SYS_PTRACE, where it has rights that we don't)?
        bool readable = false;
    };

    InitProcess(Facts facts, UniqueFd pidfd, DescriptorBudget::Share share)
        : facts_(std::move(facts)), share_(std::move(share)), pidfd_(std::move(pidfd)) {}

    [[nodiscard]] std::uint32_t pid() const noexcept { return facts_.process.pid; }
    [[nodiscard]] const Facts& facts() const noexcept { return facts_; }
    // No descriptor when there was none left to be had.
    [[nodiscard]] const UniqueFd& pidfd() const noexcept { return pidfd_; }
    [[nodiscard]] bool has_ended() const;
    // For somebody else: a pidfd of it. No descriptor: errno says why, ESRCH being that it has ended.
    [[nodiscard]] UniqueFd open() const;

  private:
    Facts facts_;
    DescriptorBudget::Share share_;
    UniqueFd pidfd_;
};

using InitProcessPtr = std::shared_ptr<const InitProcess>;

// Of its own cgroup, and of its unit; empty: there is none, or no process.
[[nodiscard]] const std::string& cgroup_path_of(const InitProcessPtr& process);
[[nodiscard]] const std::string& unit_of(const InitProcessPtr& process);

// Why a process is not held.
enum class NotHeld {
    gone,     // there is no such process any more
    another,  // the process with this number is none that the container could have
    unknown,  // we may not look at it
};

struct Held {
    InitProcessPtr process;          // null: not held
    NotHeld why = NotHeld::unknown;  // when it is null
    std::string reason;              // the same for a person, when it is null and not gone
};

// Whose word the pid is.
struct Teller {
    std::optional<std::uint32_t> uid;  // the engine's user; none: not known
    bool in_container =
        false;  // it tells of its own pid namespace alone, as the pid has been translated from there
};

// Whoever can open the initial processes of containers. In the daemon: the kernel.
class InitProcesses {
  public:
    // container.pid is not 0. Doesn't block. Any thread.
    [[nodiscard]] virtual Held open(const Container& container, const Teller& teller) = 0;

  protected:
    ~InitProcesses() = default;
};

// Believes an engine of root, of our own user, or in a container that has all it tells in its pid namespace;
// of another user's engine, only processes that the user could have made: those of namespaces that are that
// user's.
class KernelProcesses final : public InitProcesses {
  public:
    explicit KernelProcesses(DescriptorBudget& budget) : budget_(budget) {}

    [[nodiscard]] Held open(const Container& container, const Teller& teller) override;

  private:
    DescriptorBudget& budget_;
};

}  // namespace shorewatch
