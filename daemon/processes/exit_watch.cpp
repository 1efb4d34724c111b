#include "daemon/processes/exit_watch.h"

#include <utility>
#include <vector>

#include <sys/epoll.h>

namespace shorewatch {

namespace {

// pidfds tell how a process ended once its parent has waited for it, which shims take their time for; /proc
// tells it from the end until then.
KernelWord word_on(const InitProcess& process) {
    const KernelWord word = exit_of(process.pidfd());
    if (word.state != KernelWord::State::not_yet || !process.facts().readable) return word;
    const auto status = wait_status_of(process.facts().process);
    // Waited for meanwhile?
    if (!status) return exit_of(process.pidfd());
    return {KernelWord::State::told, shell_code(*status)};
}

}  // namespace

ExitWatch::ExitWatch(EventLoop& loop, OnExit on_exit)
    : loop_(loop), on_exit_(std::move(on_exit)), patience_(loop, [this] { on_patience_over(); }) {}

void ExitWatch::watch(const std::string& id, InitProcessPtr process) {
    forget(id);
    if (!process->pidfd()) return;
    // A copy: the handler goes with what it is about.
    EventSource source = loop_.on_io(process->pidfd().get(), EPOLLIN,
                                     [this, id](std::uint32_t) { on_ready(std::string(id)); });
    watched_.emplace(id, Watched{std::move(process), std::move(source)});
}

void ExitWatch::forget(const std::string& id) {
    watched_.erase(id);
}

bool ExitWatch::lives(const std::string& id) const {
    const auto found = watched_.find(id);
    return found != watched_.end() && !found->second.ended && !found->second.process->has_ended();
}

void ExitWatch::on_ready(const std::string& id) {
    const auto found = watched_.find(id);
    if (found == watched_.end()) return;
    Watched& watched = found->second;
    if (!watched.ended) watched.ended = real_time_now();
    const KernelWord word = word_on(*watched.process);
    if (word.state != KernelWord::State::not_yet) {
        watched.source.reset();
        const bool again = std::exchange(watched.told, true);
        if (!again || word.exit_code) tell(id, watched, word.exit_code);
        return;
    }
    // EPOLLIN stays; EPOLLHUP, which is always told, comes when the parent has waited for it.
    watched.source.set_io_events(0);
    watched.told_at = Clock::now() + longest_wait_for_parent;
    if (!patience_.armed()) patience_.arm_at(watched.told_at);
}

void ExitWatch::on_patience_over() {
    std::vector<std::string> due;
    std::optional<Clock::time_point> next;
    const Clock::time_point now = Clock::now();
    for (auto& [id, watched] : watched_) {
        if (!watched.ended || watched.told) continue;
        if (watched.told_at <= now) {
            due.push_back(id);
        } else if (!next || watched.told_at < *next) {
            next = watched.told_at;
        }
    }
    if (next) patience_.arm_at(*next);
    for (const std::string& id : due) {
        const auto found = watched_.find(id);
        if (found == watched_.end()) continue;
        found->second.told = true;
        tell(id, found->second, {});
    }
}

void ExitWatch::tell(const std::string& id, const Watched& watched, std::optional<int> exit_code) {
    ExitReport report = end_by(Cause::kernel);
    report.time = watched.ended;
    report.exit_code = exit_code;
    const std::uint32_t pid = watched.process->pid();
    on_exit_(id, pid, report);
}

}  // namespace shorewatch
