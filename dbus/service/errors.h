// The errors that methods answer with. Which method answers with which is in the XML.
#pragma once

#include <cerrno>
#include <exception>
#include <string>

#include "dbus/compat/sdbus.h"

namespace shorewatch::bus {

namespace errors {
inline constexpr const char* no_such_container = "org.shorewatch1.Error.NoSuchContainer";
inline constexpr const char* no_such_project = "org.shorewatch1.Error.NoSuchProject";
inline constexpr const char* no_such_task = "org.shorewatch1.Error.NoSuchTask";
inline constexpr const char* no_such_process = "org.shorewatch1.Error.NoSuchProcess";
inline constexpr const char* no_such_image = "org.shorewatch1.Error.NoSuchImage";
inline constexpr const char* invalid_spec = "org.shorewatch1.Error.InvalidSpec";
inline constexpr const char* not_alive = "org.shorewatch1.Error.NotAlive";
inline constexpr const char* conflict = "org.shorewatch1.Error.Conflict";
inline constexpr const char* not_supported = "org.shorewatch1.Error.NotSupported";
inline constexpr const char* engine_unavailable = "org.shorewatch1.Error.EngineUnavailable";
inline constexpr const char* engine_error = "org.shorewatch1.Error.EngineError";
inline constexpr const char* ambiguous = "org.shorewatch1.Error.Ambiguous";
inline constexpr const char* invalid_configuration = "org.shorewatch1.Error.InvalidConfiguration";
inline constexpr const char* invalid_args = "org.freedesktop.DBus.Error.InvalidArgs";
inline constexpr const char* access_denied = "org.freedesktop.DBus.Error.AccessDenied";
inline constexpr const char* interactive_authorization_required =
    "org.freedesktop.DBus.Error.InteractiveAuthorizationRequired";
inline constexpr const char* limits_exceeded = "org.freedesktop.DBus.Error.LimitsExceeded";
inline constexpr const char* service_unknown = "org.freedesktop.DBus.Error.ServiceUnknown";
inline constexpr const char* name_has_no_owner = "org.freedesktop.DBus.Error.NameHasNoOwner";
inline constexpr const char* timeout = "org.freedesktop.DBus.Error.Timeout";
inline constexpr const char* no_reply = "org.freedesktop.DBus.Error.NoReply";
inline constexpr const char* file_exists = "org.freedesktop.DBus.Error.FileExists";
inline constexpr const char* file_not_found = "org.freedesktop.DBus.Error.FileNotFound";
inline constexpr const char* failed = "org.freedesktop.DBus.Error.Failed";
}  // namespace errors

[[nodiscard]] inline sdbus::Error error(const char* name, const std::string& message) {
    return sdbus::Error(ErrorName(name), message);
}

// Runs what a method or a property getter does. sdbus-c++ answers the caller with an sdbus::Error; anything
// else that is thrown would pass through libsystemd, which is C, so it is made one here.
template <typename Function>
auto answer(const Function& function) -> decltype(function()) {
    try {
        return function();
    } catch (const sdbus::Error&) {
        throw;
    } catch (const std::exception& other) {
        throw error(errors::failed, other.what());
    } catch (...) {
        throw error(errors::failed, "unknown failure");
    }
}

// The same for what libsystemd calls by itself, which is what function returns: what is thrown becomes the
// error that it answers with.
template <typename Function>
int guarded(sd_bus_error* failure, const Function& function) noexcept {
    try {
        return answer(function);
    } catch (const sdbus::Error& refused) {
        return sd_bus_error_set(failure, refused.getName().c_str(), refused.getMessage().c_str());
    } catch (...) {
        return -ENOMEM;  // there was none to say more
    }
}

}  // namespace shorewatch::bus
