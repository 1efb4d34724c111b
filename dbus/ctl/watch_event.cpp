#include "dbus/ctl/watch_event.h"

#include <fmt/format.h>
#include <string.h>  // sigabbrev_np

#include "dbus/ctl/columns.h"
#include "dbus/ctl/time_format.h"

namespace shorewatch::ctl {

namespace {

using Kind = WatchEvent::Kind;

// The parts of a line, not yet made fit for a terminal.
struct Parts {
    std::string_view what;
    std::string subject;
    std::string place;
    std::vector<std::string> details;
    Tone tone = Tone::plain;
};

std::string exit_code_text(int code) {
    const char* const signal = code > 128 ? sigabbrev_np(code - 128) : nullptr;
    if (signal != nullptr) return fmt::format("exit code {} (SIG{})", code, signal);
    return fmt::format("exit code {}", code);
}

void add_cause(const WatchEvent& event, Parts& parts) {
    // Whether the kernel or the engine was first to tell is of no interest here; that nobody told at the time
    // is.
    const auto cause = find<std::string>(event.details, "Cause");
    if (cause && *cause == "resync") parts.details.emplace_back("cause resync");
}

void describe_process(const WatchEvent& event, Parts& parts) {
    if (const auto pid = find<std::uint32_t>(event.details, "PID"); pid && *pid != 0) {
        parts.details.push_back(fmt::format("pid {}", *pid));
    }
    if (const auto image = find<std::string>(event.details, "Image"); image && !image->empty()) {
        parts.details.push_back(*image);
    }
}

void describe_exit(const WatchEvent& event, Parts& parts) {
    const auto code = find<std::int32_t>(event.details, "ExitCode");
    parts.details.push_back(code ? exit_code_text(*code) : "exit code not known");
    if (find<bool>(event.details, "OOMKilled").value_or(false)) parts.details.emplace_back("out of memory");
    if (event.ran) parts.details.push_back("ran " + fine_duration(*event.ran));
    parts.tone = code == 0 ? Tone::faint : Tone::bad;
}

void describe_present(const WatchEvent& event, Parts& parts) {
    const bool paused = find<bool>(event.details, "Paused").value_or(false);
    parts.what = paused ? "paused" : "running";
    parts.tone = paused ? Tone::warning : Tone::good;
    describe_process(event, parts);
    const std::uint64_t since = find<std::uint64_t>(event.details, "StartedAt").value_or(0);
    if (since != 0) parts.details.push_back("up " + age(since, event.received));
}

void describe_engine(const WatchEvent& event, Parts& parts) {
    parts.subject = event.engine;
    parts.place.clear();
    const auto before = find<std::string>(event.details, "OldState");
    parts.details.push_back(before ? fmt::format("{} (was {})", event.state, *before) : event.state);
    if (const auto error = find<std::string>(event.details, "LastError"); error && !error->empty()) {
        parts.details.push_back(*error);
    }
    if (event.state == "watching") parts.tone = Tone::good;
    if (event.state == "lost" || event.state == "unavailable") parts.tone = Tone::bad;
}

void describe_container(const WatchEvent& event, Parts& parts) {
    switch (event.kind) {
        case Kind::started:
            parts.what = "started";
            parts.tone = Tone::good;
            describe_process(event, parts);
            break;
        case Kind::exited:
            parts.what = "exited";
            describe_exit(event, parts);
            break;
        case Kind::paused:
            parts.what = "paused";
            parts.tone = Tone::warning;
            break;
        case Kind::unpaused:
            parts.what = "unpaused";
            parts.tone = Tone::good;
            break;
        case Kind::renamed:
            parts.what = "renamed";
            if (const auto before = find<std::string>(event.details, "OldName")) {
                parts.details.push_back("was " + *before);
            }
            break;
        default:
            describe_present(event, parts);
    }
    add_cause(event, parts);
}

Parts parts_of(const WatchEvent& event) {
    Parts parts;
    parts.subject = event.name.empty() ? event.id : event.name;
    parts.place = event.project.empty() ? event.engine : event.engine + "/" + event.project;
    switch (event.kind) {
        case Kind::engine_state:
            parts.what = "engine";
            describe_engine(event, parts);
            break;
        case Kind::synchronized:
            parts.what = "listed";
            parts.subject = fmt::format("{} container{}", event.containers, event.containers == 1 ? "" : "s");
            parts.tone = Tone::faint;
            break;
        case Kind::daemon_awaited:
            parts = {"daemon", "awaited", "", {event.reason}, Tone::warning};
            break;
        case Kind::daemon_up:
            parts = {"daemon", "up", "", {}, Tone::good};
            break;
        case Kind::daemon_down:
            parts = {"daemon", "down", "", {"waiting for it to come back"}, Tone::bad};
            break;
        default:
            describe_container(event, parts);
    }
    return parts;
}

std::uint64_t happened(const WatchEvent& event) {
    return find<std::uint64_t>(event.details, "Timestamp").value_or(event.received);
}

}  // namespace

std::string_view event_name(Kind kind) {
    switch (kind) {
        case Kind::started:
            return "started";
        case Kind::exited:
            return "exited";
        case Kind::paused:
            return "paused";
        case Kind::unpaused:
            return "unpaused";
        case Kind::renamed:
            return "renamed";
        case Kind::engine_state:
            return "engine-state";
        case Kind::present:
            return "present";
        case Kind::synchronized:
            return "synchronized";
        case Kind::daemon_awaited:
            return "daemon-awaited";
        case Kind::daemon_up:
            return "daemon-up";
        case Kind::daemon_down:
            return "daemon-down";
    }
    return "";
}

const std::vector<std::string>& event_names() {
    static const std::vector<std::string> names = [] {
        std::vector<std::string> all;
        for (int kind = 0; kind <= static_cast<int>(Kind::daemon_down); ++kind)
            all.emplace_back(event_name(static_cast<Kind>(kind)));
        return all;
    }();
    return names;
}

std::string event_text(const WatchEvent& event, const Style& style) {
    const Parts parts = parts_of(event);
    const std::uint64_t when = happened(event);
    std::string line = style.width ? local_time(when) : local_date_time(when);
    line += "  " + coloured(padded(parts.what, 8), parts.tone, style);
    line += "  " + padded(shown(parts.subject, style), 20);
    line += "  " + padded(shown(parts.place, style), 14);
    std::string_view separator = "  ";
    for (const std::string& detail : parts.details) {
        line.append(separator).append(shown(detail, style));
        separator = ", ";
    }
    line.erase(line.find_last_not_of(' ') + 1);
    return line;
}

}  // namespace shorewatch::ctl
