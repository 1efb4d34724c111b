#include "daemon/processes/process_holder.h"

#include "engines/support/log.h"

namespace shorewatch {

ProcessHolder::ProcessHolder(EventLoop& loop, std::string engine, InitProcesses* processes,
                             ExitWatch::OnExit on_exit)
    : engine_(std::move(engine)),
      processes_(processes),
      on_exit_(std::move(on_exit)),
      exits_(loop, on_exit_),
      gone_timer_(loop, [this] { tell_gone(); }) {}

InitProcessPtr ProcessHolder::hold(const Container& container) {
    if (processes_ == nullptr || container.pid == 0) return nullptr;
    const Held held = processes_->open(container, teller_);
    if (held.process) {
        proven_ = true;
        if (held.process->pidfd()) {
            told_no_descriptor_ = false;
        } else {
            log_no_descriptor();
        }
        exits_.watch(container.id, held.process);
        return held.process;
    }
    if (held.why != NotHeld::gone) {
        log_not_held(container, held);
    } else if (proven_) {
        gone_.emplace_back(container.id, container.pid);
        gone_timer_.arm_after({});
    }
    return nullptr;
}

void ProcessHolder::tell_gone() {
    for (const auto& [id, pid] : std::exchange(gone_, {}))
        on_exit_(id, pid, end_by(Cause::kernel));
}

// A line for the first: there may be as many of them as containers.
void ProcessHolder::log_not_held(const Container& container, const Held& held) {
    const std::string text = "engine " + engine_ + ": container " + container.name +
                             " is followed by the engine's events alone: " + held.reason;
    const log::Fields fields{
        {"SHOREWATCH_ENGINE", engine_}, {"CONTAINER_ID", container.id}, {"CONTAINER_NAME", container.name}};
    if (std::exchange(told_not_held_, true)) return log::debug(text, fields);
    log::notice(text + "; so may be others", fields);
}

void ProcessHolder::log_no_descriptor() {
    if (std::exchange(told_no_descriptor_, true)) return;
    log::warning(
        "engine " + engine_ +
            ": no descriptors are left to hold containers' processes by; the exits of further ones are "
            "told when the engine tells them. Raise LimitNOFILE= of the service",
        {{"SHOREWATCH_ENGINE", engine_}});
}

}  // namespace shorewatch
