#include "dbus/service/authority.h"

#include <algorithm>
#include <string_view>

#include <unistd.h>

#include "dbus/compat/sdbus_client.h"
#include "engines/support/text.h"

namespace shorewatch::bus {

namespace {

constexpr const char* driver_name = "org.freedesktop.DBus";
constexpr const char* polkit_name = "org.freedesktop.PolicyKit1";
constexpr const char* polkit_interface = "org.freedesktop.PolicyKit1.Authority";

// Of org.freedesktop.PolicyKit1.Authority.CheckAuthorization.
constexpr std::uint32_t allow_user_interaction = 1;
using Subject = sdbus::Struct<std::string, std::map<std::string, sdbus::Variant>>;
using Verdict = sdbus::Struct<bool, bool, std::map<std::string, std::string>>;

const char* id_of(Action action) {
    switch (action) {
        case Action::inspect:
            return "org.shorewatch1.inspect";
        case Action::control:
            return "org.shorewatch1.control";
        case Action::run:
            break;
    }
    return "org.shorewatch1.run";
}

std::string cancellation_id(std::uint64_t id) {
    return "shorewatch-" + std::to_string(id);
}

// What rules of polkit see, and the question to whoever has to authenticate. polkit puts the other details in
// place of $(…).
std::map<std::string, std::string> details_of(const Request& request) {
    std::map<std::string, std::string> details;
    std::string message = "Authentication is required to " + request.doing;
    const char* before = ": ";
    const auto add = [&](const char* key, const std::string& value) {
        if (value.empty()) return;
        details.emplace(key, printable(value));
        message += before + std::string(key) + " '$(" + key + ")'";
        before = ", ";
    };
    add("container", request.container);
    add("project", request.project);
    add("engine", request.engine);
    details.emplace("polkit.message", std::move(message));
    return details;
}

sdbus::Error only_root(const Request& request, uid_t user, const std::string& why) {
    return error(errors::access_denied,
                 "Only root may " + request.doing + ", not uid " + std::to_string(user) + ": " + why);
}

// Why polkit said neither yes nor no.
std::string describe_failure(const std::string& name, const std::string& message) {
    const std::string said = printable(message.empty() ? name : message);
    if (name == errors::service_unknown || name == errors::name_has_no_owner)
        return "polkit, which can let others, is not running (" + said + ")";
    if (name.starts_with("org.freedesktop.PolicyKit1.Error."))
        return "polkit could not be asked about others (" + said +
               "); is org.shorewatch1.policy where it looks for actions?";
    return "polkit, which can let others, did not answer (" + said + ")";
}

// Absent: polkit said yes.
std::optional<sdbus::Error> refusal(const Request& request, uid_t user, bool interactive,
                                    const Verdict& verdict) {
    if (std::get<0>(verdict)) return std::nullopt;
    const std::string action = id_of(request.action);
    const std::string who = "uid " + std::to_string(user);
    const bool challenge = std::get<1>(verdict);
    if (challenge && !interactive) {
        return error(errors::interactive_authorization_required,
                     "To " + request.doing + " (polkit action " + action + "), " + who +
                         " has to authenticate, and the call did not allow asking for that");
    }
    if (challenge) {
        return error(errors::access_denied, "To " + request.doing + " (polkit action " + action + "), " +
                                                who +
                                                " has to authenticate, and has no agent to do that with: "
                                                "start one, as pkttyagent, or be root");
    }
    const bool dismissed = std::get<2>(verdict).contains("polkit.dismissed");
    return error(errors::access_denied,
                 dismissed ? "To " + request.doing + " (polkit action " + action + "), " + who +
                                 " had to authenticate, and did not"
                           : "polkit does not let " + who + " " + request.doing + " (action " + action + ")");
}

}  // namespace

void Authority::connect(sdbus::IConnection& connection) {
    driver_ =
        sdbus::createProxy(connection, ServiceName(driver_name), sdbus::ObjectPath("/org/freedesktop/DBus"));
    polkit_ = sdbus::createProxy(connection, ServiceName(polkit_name),
                                 sdbus::ObjectPath("/org/freedesktop/PolicyKit1/Authority"));
}

void Authority::disconnect() noexcept {
    // With the proxies go the calls that wait for an answer. polkit itself sees that we are gone, and ends
    // what it has begun for us.
    driver_.reset();
    polkit_.reset();
    checks_.clear();
}

void Authority::check(sd_bus_message* call, Request request, Then then) {
    Caller caller = caller_of(call);
    const auto lookups =
        std::count_if(checks_.begin(), checks_.end(), [](const auto& entry) { return !entry.second.user; });
    if (static_cast<std::size_t>(lookups) >= most_lookups)
        throw error(errors::limits_exceeded, "Too many calls at a time; try again");
    const std::uint64_t id = ++last_id_;
    const std::string sender = caller.name;
    checks_.emplace(id, Check{std::move(caller), std::move(request), std::move(then), std::nullopt});
    try {
        ask_bus(id, sender);
    } catch (const std::exception&) {
        checks_.erase(id);
        throw;
    }
}

void Authority::ask_bus(std::uint64_t id, const std::string& sender) {
    auto on_answer = [this, id](AsyncError error, const std::uint32_t& user) {
        proceed(id, [&](Check& check) {
            if (!error) return take_user(id, check, user);
            throw bus::error(errors::access_denied,
                             "The bus does not say who asks: " + std::string(error->getMessage()));
        });
    };
    driver_->callMethodAsync("GetConnectionUnixUser")
        .onInterface(driver_name)
        .withArguments(sender)
        .uponReplyInvoke(std::move(on_answer));
}

void Authority::take_user(std::uint64_t id, Check& check, uid_t user) {
    if (user == (same_user_ ? ::geteuid() : 0)) return finish(id, std::nullopt);
    if (same_user_) {
        throw error(errors::access_denied,
                    "Only the same user may " + check.request.doing + ", not uid " + std::to_string(user));
    }
    const auto open = std::count_if(checks_.begin(), checks_.end(),
                                    [](const auto& entry) { return entry.second.user.has_value(); });
    const auto open_of_user = std::count_if(checks_.begin(), checks_.end(),
                                            [user](const auto& entry) { return entry.second.user == user; });
    if (static_cast<std::size_t>(open) >= most_open ||
        static_cast<std::size_t>(open_of_user) >= most_open_of_user) {
        throw error(errors::limits_exceeded, "Too many calls wait for polkit's answer; try again");
    }
    check.user = user;
    ask_polkit(id, check);
}

void Authority::ask_polkit(std::uint64_t id, const Check& check) {
    const bool interactive = check.caller.interactive;
    auto on_answer = [this, id](AsyncError error, const Verdict& verdict) {
        proceed(id, [&](const Check& asked) {
            if (!error) {
                return finish(id, refusal(asked.request, *asked.user, asked.caller.interactive, verdict));
            }
            const std::string& name = error->getName();
            if (name == errors::no_reply) cancel(id);
            throw only_root(asked.request, *asked.user, describe_failure(name, error->getMessage()));
        });
    };
    const Subject subject("system-bus-name", {{"name", sdbus::Variant(check.caller.name)}});
    polkit_->callMethodAsync("CheckAuthorization")
        .onInterface(polkit_interface)
        .withTimeout(interactive ? authentication_limit : decision_limit)
        .withArguments(subject, std::string(id_of(check.request.action)), details_of(check.request),
                       interactive ? allow_user_interaction : 0U, cancellation_id(id))
        .uponReplyInvoke(std::move(on_answer));
}

// A dialogue that nobody waits for any more should not stay on somebody's screen.
void Authority::cancel(std::uint64_t id) {
    polkit_->callMethod("CancelCheckAuthorization")
        .onInterface(polkit_interface)
        .withArguments(cancellation_id(id))
        .dontExpectReply();
}

template <typename Step>
void Authority::proceed(std::uint64_t id, const Step& step) noexcept {
    try {
        const auto found = checks_.find(id);
        if (found == checks_.end()) return;
        try {
            answer([&] { step(found->second); });
        } catch (const sdbus::Error& refused) {
            finish(id, refused);
        }
    } catch (const std::exception& failure) {
        log::error(std::string("Can't decide who may do what: ") + failure.what());
    }
}

void Authority::finish(std::uint64_t id, const std::optional<sdbus::Error>& refused) {
    // Taken out first: what `then` does may need room for another one.
    const auto check = checks_.extract(id);
    if (check) check.mapped().then(refused);
}

}  // namespace shorewatch::bus
