#include "dbus/ctl/exit_code.h"

#include <algorithm>
#include <array>
#include <cstdlib>

#include <fmt/format.h>

#include "engines/support/text.h"

namespace shorewatch::ctl {

namespace {

constexpr std::string_view ours = "org.shorewatch1.Error.";
constexpr std::string_view standard = "org.freedesktop.DBus.Error.";

struct Known {
    std::string_view prefix;
    std::string_view name;
    ExitCode code;
};

constexpr std::array known{
    Known{ours, "NoSuchContainer", ExitCode::not_found},
    Known{ours, "NoSuchProject", ExitCode::not_found},
    Known{ours, "NoSuchTask", ExitCode::not_found},
    Known{ours, "NoSuchEngine", ExitCode::not_found},
    Known{ours, "NoSuchProcess", ExitCode::not_found},
    Known{ours, "NoSuchImage", ExitCode::not_found},
    // It ended after its path was asked for.
    Known{ours, "NotAlive", ExitCode::not_found},
    Known{ours, "Ambiguous", ExitCode::ambiguous},
    Known{standard, "AccessDenied", ExitCode::access_denied},
    Known{standard, "AuthFailed", ExitCode::access_denied},
    Known{standard, "InteractiveAuthorizationRequired", ExitCode::access_denied},
    // An object that was there when its path was asked for.
    Known{standard, "UnknownObject", ExitCode::not_found},
    Known{standard, "ServiceUnknown", ExitCode::unreachable},
    Known{standard, "NameHasNoOwner", ExitCode::unreachable},
    Known{standard, "NoReply", ExitCode::unreachable},
    Known{standard, "Timeout", ExitCode::unreachable},
    Known{standard, "TimedOut", ExitCode::unreachable},
    Known{standard, "Disconnected", ExitCode::unreachable},
    Known{standard, "NoServer", ExitCode::unreachable},
};

// What libsystemd makes of an errno when the connection breaks.
constexpr std::array broken_connection{"System.Error.ECONNRESET", "System.Error.ENOTCONN",
                                       "System.Error.EPIPE", "System.Error.ETIMEDOUT",
                                       "System.Error.ESHUTDOWN"};

ExitCode code_for(std::string_view name) {
    if (name.starts_with("org.freedesktop.DBus.Error.Spawn.")) return ExitCode::unreachable;
    if (std::find(broken_connection.begin(), broken_connection.end(), name) != broken_connection.end()) {
        return ExitCode::unreachable;
    }
    const auto* const found = std::find_if(known.begin(), known.end(), [name](const Known& entry) {
        return name.starts_with(entry.prefix) && name.substr(entry.prefix.size()) == entry.name;
    });
    return found == known.end() ? ExitCode::refused : found->code;
}

std::string_view access_advice(BusKind bus, Right right) {
    if (bus == BusKind::user) return "the session bus serves its own user only";
    switch (right) {
        case Right::read:
            return "join the group shorewatch or be root";
        case Right::inspect:
            return "be root, or join the group shorewatch and have polkit allow org.shorewatch1.inspect";
        case Right::control:
            return "be root, or join the group shorewatch and have polkit allow org.shorewatch1.control";
        case Right::run:
            return "be root, or join the group shorewatch and have polkit allow org.shorewatch1.run";
    }
    return {};
}

std::string_view start_advice(BusKind bus) {
    switch (bus) {
        case BusKind::system:
            return "start it: systemctl start shorewatchd";
        case BusKind::user:
            return "start it: systemctl --user start shorewatchd";
        case BusKind::remote:
            return "start it there: systemctl start shorewatchd";
    }
    return {};
}

std::string_view journal_advice(BusKind bus) {
    switch (bus) {
        case BusKind::system:
            return "see its journal: journalctl -u shorewatchd";
        case BusKind::user:
            return "see its journal: journalctl --user -u shorewatchd";
        case BusKind::remote:
            return "see its journal there: journalctl -u shorewatchd";
    }
    return {};
}

// The bus has no daemon and could not start one, or the daemon went or kept silent while it was asked.
std::string unreachable_reason(std::string_view name, std::string_view message, BusKind bus) {
    const auto is = [name](std::string_view end) { return name.ends_with(end); };
    if (is(".ServiceUnknown") || is(".NameHasNoOwner")) {
        return fmt::format("the daemon is not running; {}", start_advice(bus));
    }
    if (name.find(".Spawn.") != std::string_view::npos) {
        return fmt::format("the daemon could not be started: {}; {}", message, journal_advice(bus));
    }
    if (is(".NoReply") || is(".Timeout") || is(".TimedOut") || is(".ETIMEDOUT")) {
        return fmt::format("the daemon did not answer: {}; {}", message, journal_advice(bus));
    }
    return fmt::format(
        "the connection to the bus broke: {}; try again, and if that is no use, see the journal of the bus",
        message);
}

// Where to look for what there is, when the daemon says that something is not.
std::string_view look_advice(std::string_view name) {
    if (!name.starts_with(ours)) return {};
    name.remove_prefix(ours.size());
    if (name == "NoSuchContainer" || name == "NotAlive") return "; see shorewatchctl list";
    if (name == "NoSuchProject") return "; see shorewatchctl tree";
    if (name == "NoSuchEngine" || name == "EngineUnavailable") return "; see shorewatchctl engines";
    if (name == "NoSuchTask") return "; see shorewatchctl task list";
    return {};
}

}  // namespace

void end_with(int code) {
    std::exit(code);  // NOLINT(concurrency-mt-unsafe): there is no other thread
}

CommandError command_error(std::string_view doing, std::string_view name, std::string_view message,
                           BusKind bus, Right right) {
    const ExitCode code = code_for(name);
    const std::string said = printable(message.empty() ? name : message);
    const std::string start = fmt::format("cannot {}: ", doing);
    switch (code) {
        case ExitCode::access_denied:
            return {code, fmt::format("{}access denied ({}); {}", start, said, access_advice(bus, right))};
        case ExitCode::unreachable:
            return {code, start + unreachable_reason(name, said, bus)};
        default:
            return {code, fmt::format("{}{}{}", start, said, look_advice(name))};
    }
}

CommandError connect_error(std::string_view name, std::string_view message, BusKind bus,
                           std::string_view host) {
    const std::string said = printable(message.empty() ? name : message);
    const bool denied =
        name.ends_with(".AccessDenied") || name.ends_with(".EACCES") || name.ends_with(".EPERM");
    const ExitCode code = denied ? ExitCode::access_denied : ExitCode::unreachable;
    switch (bus) {
        case BusKind::system:
            return {code, fmt::format("cannot reach the system bus: {}; is dbus running, and does "
                                      "DBUS_SYSTEM_BUS_ADDRESS, if set, name it?",
                                      said)};
        case BusKind::user:
            return {code, fmt::format("cannot reach the session bus: {}; log in with a session, or set "
                                      "DBUS_SESSION_BUS_ADDRESS",
                                      said)};
        case BusKind::remote:
            return {code,
                    fmt::format("cannot reach the system bus of {}: {}; does 'ssh {} systemd-stdio-bridge' "
                                "work?",
                                printable(host), said, printable(host))};
    }
    return {code, said};
}

}  // namespace shorewatch::ctl
