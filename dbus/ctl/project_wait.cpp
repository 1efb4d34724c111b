#include "dbus/ctl/project_wait.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "dbus/ctl/exit_code.h"
#include "engines/support/text.h"

namespace shorewatch::ctl {

namespace {

using Kind = WatchEvent::Kind;

constexpr int done = static_cast<int>(ExitCode::ok);

}  // namespace

ProjectWait::ProjectWait(WaitFor what, std::string project, std::optional<std::string> engine)
    : what_(what), project_(std::move(project)), engine_(std::move(engine)) {}

std::optional<int> ProjectWait::take(const WatchEvent& event) {
    switch (event.kind) {
        case Kind::daemon_up:
        case Kind::daemon_down:
            listed_ = false;
            for (const auto& [path, engine] : std::exchange(alive_, {}))
                unheard_of_.insert(engine);
            return std::nullopt;
        case Kind::present:
        case Kind::started:
            return see(event);
        case Kind::synchronized:
            listed_ = true;
            return std::nullopt;
        case Kind::exited: {
            const bool last = alive_.erase(event.path) > 0 && alive_.empty() && unheard_of_.empty();
            return last ? std::optional<int>(done) : std::nullopt;
        }
        default:
            return std::nullopt;
    }
}

std::optional<int> ProjectWait::see(const WatchEvent& event) {
    seen_ = true;
    alive_.emplace(event.path, event.engine);
    return what_ == WaitFor::started ? std::optional<int>(done) : std::nullopt;
}

bool ProjectWait::asks_for_engines() const {
    return what_ != WaitFor::started && listed_ && (alive_.empty() || !unheard_of_.empty());
}

std::optional<int> ProjectWait::take(const std::vector<EngineInfo>& engines) {
    if (!asks_for_engines()) return std::nullopt;
    for (const EngineInfo& info : engines) {
        if (info.state == "watching") unheard_of_.erase(info.name);
    }
    if (!alive_.empty() || !unheard_of_.empty()) return std::nullopt;
    if (seen_) return done;
    const std::string doing = fmt::format("wait for the end of project '{}'", printable(project_));
    if (may_have_more(engines, engine_, doing)) return std::nullopt;
    throw CommandError(
        ExitCode::not_found,
        fmt::format("cannot {}: no alive container belongs to it{}; see shorewatchctl tree, or "
                    "wait until one starts with --started",
                    doing, unreached(engines, engine_)));
}

}  // namespace shorewatch::ctl
