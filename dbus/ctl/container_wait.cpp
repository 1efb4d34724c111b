#include "dbus/ctl/container_wait.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "dbus/ctl/exit_code.h"
#include "engines/support/text.h"

namespace shorewatch::ctl {

namespace {

using Kind = WatchEvent::Kind;

// As the daemon has it: shorter beginnings of ids are taken for names alone.
constexpr std::size_t shortest_id_prefix = 4;

// Of several that have one name.
constexpr std::size_t most_named = 5;

// What a shell can be told.
constexpr int largest_exit_code = 255;

const char* word(WaitFor what) {
    switch (what) {
        case WaitFor::started:
            return "to start";
        case WaitFor::exited:
            return "to exit";
        case WaitFor::paused:
            return "to be paused";
        case WaitFor::unpaused:
            return "to be unpaused";
    }
    return "";
}

bool counts(const EngineInfo& info, const std::optional<std::string>& engine) {
    return !engine || info.name == *engine;
}

std::string place_of(const WatchEvent& event) {
    std::string place = printable(event.engine) + "/";
    if (!event.project.empty()) place.append(printable(event.project)).append("/");
    return place.append(printable(event.name)).append(" (").append(printable(event.id)).append(")");
}

}  // namespace

ContainerWait::ContainerWait(WaitFor what, std::string name, std::optional<std::string> engine)
    : what_(what), name_(std::move(name)), engine_(std::move(engine)) {}

std::optional<int> ContainerWait::take(const WatchEvent& event) {
    switch (event.kind) {
        case Kind::daemon_up:
        case Kind::daemon_down:
            listed_ = false;
            alive_ = false;
            present_.clear();
            return std::nullopt;
        case Kind::present:
            if (run_) return event.path == run_->path ? see_again(event) : std::nullopt;
            if (is_meant(event)) present_.push_back(event);
            return std::nullopt;
        case Kind::synchronized:
            listed_ = true;
            return run_ ? std::nullopt : choose();
        case Kind::engine_state:
        case Kind::daemon_awaited:
            return std::nullopt;
        default:
            return take_container(event);
    }
}

std::optional<int> ContainerWait::take_container(const WatchEvent& event) {
    if (!run_) {
        const bool told = event.kind == Kind::started || event.kind == Kind::renamed;
        return told && is_meant(event) ? adopt(event) : std::nullopt;
    }
    if (event.path != run_->path) return std::nullopt;
    switch (event.kind) {
        case Kind::started:
            return see_again(event);
        case Kind::exited:
            return ended(event);
        case Kind::paused:
        case Kind::unpaused:
            paused_ = event.kind == Kind::paused;
            return reached();
        default:
            return std::nullopt;
    }
}

bool ContainerWait::asks_for_engines() const {
    return what_ != WaitFor::started && listed_ && !alive_;
}

std::optional<int> ContainerWait::take(const std::vector<EngineInfo>& engines) {
    if (!asks_for_engines()) return std::nullopt;
    if (run_) {
        for (const EngineInfo& info : engines) {
            if (info.name == run_->engine && info.state == "watching") vanished();
        }
        return std::nullopt;
    }
    if (may_have_more(engines, engine_, doing())) return std::nullopt;
    throw CommandError(ExitCode::not_found,
                       fmt::format("cannot {}: no alive container is called so{}; see shorewatchctl list, or "
                                   "wait until it starts with --started",
                                   doing(), unreached(engines, engine_)));
}

bool ContainerWait::is_meant(const WatchEvent& event) const {
    if (event.id == name_ || event.name == name_) return true;
    return name_.size() >= shortest_id_prefix && event.id.starts_with(name_);
}

// By id first, then by name, then by the beginning of an id, as everywhere.
std::optional<int> ContainerWait::choose() {
    std::vector<WatchEvent> found = std::exchange(present_, {});
    const auto narrow = [&found](auto&& fits) {
        if (std::any_of(found.begin(), found.end(), fits))
            std::erase_if(found, [&](const auto& event) { return !fits(event); });
    };
    narrow([this](const WatchEvent& event) { return event.name == name_ || event.id == name_; });
    narrow([this](const WatchEvent& event) { return event.id == name_; });
    if (found.empty()) return std::nullopt;
    if (found.size() == 1 || what_ == WaitFor::started) return adopt(found.front());
    std::string all;
    for (std::size_t i = 0; i < std::min(found.size(), most_named); ++i)
        all.append(all.empty() ? "" : ", ").append(place_of(found[i]));
    if (found.size() > most_named) all.append(" and others");
    throw CommandError(
        ExitCode::ambiguous,
        fmt::format("cannot {}: several are called so: {}; say --engine or --project, or an id", doing(),
                    all));
}

std::optional<int> ContainerWait::adopt(const WatchEvent& event) {
    run_ = run_of(event);
    alive_ = true;
    paused_ = find<bool>(event.details, "Paused").value_or(false);
    return reached();
}

// After a time without word of it: is it the same run still?
std::optional<int> ContainerWait::see_again(const WatchEvent& event) {
    if (!is_same(*run_, run_of(event))) vanished();
    alive_ = true;
    paused_ = find<bool>(event.details, "Paused").value_or(false);
    return reached();
}

std::optional<int> ContainerWait::reached() const {
    const bool over = what_ == WaitFor::started || (what_ == WaitFor::paused && paused_) ||
                      (what_ == WaitFor::unpaused && !paused_);
    return over ? std::optional<int>(static_cast<int>(ExitCode::ok)) : std::nullopt;
}

std::optional<int> ContainerWait::ended(const WatchEvent& event) const {
    const auto code = find<std::int32_t>(event.details, "ExitCode");
    const std::string told = code ? fmt::format("exit code {}", *code) : "an exit code that nobody knows";
    if (what_ != WaitFor::exited)
        throw CommandError(ExitCode::not_found,
                           fmt::format("cannot {}: it has ended, with {}", doing(), told));
    if (code && *code >= 0 && *code <= largest_exit_code) return code;
    throw CommandError(ExitCode::no_exit_code,
                       fmt::format("container '{}' has ended, with {}", run_->shown, told));
}

void ContainerWait::vanished() const {
    if (what_ == WaitFor::exited) {
        throw CommandError(ExitCode::no_exit_code,
                           fmt::format("container '{}' has ended while it was not watched: nobody knows its "
                                       "exit code",
                                       run_->shown));
    }
    throw CommandError(ExitCode::not_found,
                       fmt::format("cannot {}: it has ended while it was not watched", doing()));
}

std::string ContainerWait::doing() const {
    return fmt::format("wait for container '{}' {}", printable(name_), word(what_));
}

ContainerWait::Run ContainerWait::run_of(const WatchEvent& event) {
    // A list has when it was started, as a property; a signal has it as the time of the start.
    const char* const began = event.kind == Kind::present ? "StartedAt" : "Timestamp";
    return {event.path, event.engine, printable(event.name.empty() ? event.id : event.name),
            find<std::uint32_t>(event.details, "PID").value_or(0),
            find<std::uint64_t>(event.details, began).value_or(0)};
}

// By pid: the times can differ a little from one daemon to the next. What is not known tells nothing.
bool ContainerWait::is_same(const Run& one, const Run& other) {
    if (one.pid != 0 && other.pid != 0) return one.pid == other.pid;
    return one.started_at == 0 || other.started_at == 0 || one.started_at == other.started_at;
}

bool may_have_more(const std::vector<EngineInfo>& engines, const std::optional<std::string>& engine,
                   const std::string& doing) {
    const auto under_way = [](const EngineInfo& info) {
        return info.state == "connecting" || info.state == "synchronizing";
    };
    std::string known;
    bool there = !engine;
    bool more = false;
    for (const EngineInfo& info : engines) {
        known.append(known.empty() ? "" : ", ").append(printable(info.name));
        if (!counts(info, engine)) continue;
        there = true;
        more = more || under_way(info);
    }
    if (there) return more;
    throw CommandError(ExitCode::not_found,
                       fmt::format("cannot {}: there is no engine '{}'; there are: {}", doing,
                                   printable(*engine), known.empty() ? "none" : known));
}

std::string unreached(const std::vector<EngineInfo>& engines, const std::optional<std::string>& engine) {
    std::string text;
    for (const EngineInfo& info : engines) {
        if (info.state == "watching" || !counts(info, engine)) continue;
        text += fmt::format("; engine {} is {}", printable(info.name), printable(info.state));
        if (!info.last_error.empty()) text.append(": ").append(printable(info.last_error));
    }
    return text;
}

}  // namespace shorewatch::ctl
