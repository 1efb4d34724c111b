// sdbus-c++ 1.2 and 2.1 from one source: what differs between the two has one name here.
//
// Files that use sdbus-c++ include this and nothing of <sdbus-c++/…>. Code that is generated from the XML is
// of the version that is installed, so that it needs none of this.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include <sdbus-c++/sdbus-c++.h>
#include <systemd/sd-bus.h>

#if __has_include(<sdbus-c++/VTableItems.h>)
#define SHOREWATCH_SDBUS_2 1
#else
#define SHOREWATCH_SDBUS_2 0
#endif

namespace shorewatch::bus {

// Strong types in 2, strings in 1. Object paths are sdbus::ObjectPath in both.
#if SHOREWATCH_SDBUS_2
using ServiceName = sdbus::ServiceName;
using InterfaceName = sdbus::InterfaceName;
using MemberName = sdbus::MemberName;
using PropertyName = sdbus::PropertyName;
using ErrorName = sdbus::Error::Name;
#else
using ServiceName = std::string;
using InterfaceName = std::string;
using MemberName = std::string;
using PropertyName = std::string;
using ErrorName = std::string;
#endif

// a{sv}: options, and details that may grow.
using Dictionary = std::map<std::string, sdbus::Variant>;

// Does one piece of the connection's work. False: there was none. Throws sdbus::Error when the connection is
// gone.
inline bool process_pending(sdbus::IConnection& connection) {
#if SHOREWATCH_SDBUS_2
    return connection.processPendingEvent();
#else
    return connection.processPendingRequest();
#endif
}

// When process_pending() is due whatever the descriptor says, in microseconds of CLOCK_MONOTONIC; absent:
// never.
inline std::optional<std::chrono::microseconds> due_time(const sdbus::IConnection::PollData& poll) {
#if SHOREWATCH_SDBUS_2
    if (poll.timeout == std::chrono::microseconds::max()) return std::nullopt;
    return poll.timeout;
#else
    if (poll.timeout_usec == UINT64_MAX) return std::nullopt;
    return std::chrono::microseconds(poll.timeout_usec);
#endif
}

// Who sent a message.
struct Caller {
    std::string name;          // the unique name of the connection, which the bus vouches for
    bool interactive = false;  // the caller would have a user authenticate, and wait for that
};

// libsystemd's own message, which sdbus-c++ keeps as a protected member: for what it has no word for.
[[nodiscard]] inline sd_bus_message* raw_message(const sdbus::Message& message) {
    struct Raw : sdbus::Message {
        static sd_bus_message* of(const sdbus::Message& wrapped) {
            return static_cast<sd_bus_message*>(wrapped.*&Raw::msg_);
        }
    };
    return Raw::of(message);
}

// Calls use with the message that object handles now. Throws sdbus::Error when there is none.
template <typename Use>
auto with_current_message(const sdbus::IObject& object, const Use& use) {
#if SHOREWATCH_SDBUS_2
    const sdbus::Message message = object.getCurrentlyProcessedMessage();
    sd_bus_message* const raw = raw_message(message);
#else
    const sdbus::Message* const message = object.getCurrentlyProcessedMessage();
    sd_bus_message* const raw = message != nullptr ? raw_message(*message) : nullptr;
#endif
    if (raw == nullptr)
        throw sdbus::Error(ErrorName("org.freedesktop.DBus.Error.Failed"), "no message is being handled");
    return use(raw);
}

// What is in the message that object handles now is written over when it is freed. Throws sdbus::Error when
// there is none.
inline void wipe_current_message(const sdbus::IObject& object) {
    with_current_message(object, [](sd_bus_message* message) { sd_bus_message_sensitive(message); });
}

// Throws sdbus::Error when nobody did.
[[nodiscard]] inline Caller caller_of(sd_bus_message* call) {
    const char* const sender = sd_bus_message_get_sender(call);
    if (sender == nullptr)
        throw sdbus::Error(ErrorName("org.freedesktop.DBus.Error.Failed"), "nobody has sent the message");
    return {sender, sd_bus_message_get_allow_interactive_authorization(call) > 0};
}

// Throws sdbus::Error when no message is being handled.
[[nodiscard]] inline Caller current_caller(const sdbus::IObject& object) {
    return with_current_message(object, caller_of);
}

// Calls handler for each message that matches; the slot ends it. Throws sdbus::Error.
[[nodiscard]] inline sdbus::Slot add_match(sdbus::IConnection& connection, const std::string& match,
                                           std::function<void()> handler) {
#if SHOREWATCH_SDBUS_2
    return connection.addMatch(
        match, [call = std::move(handler)](sdbus::Message) { call(); }, sdbus::return_slot);
#else
    return connection.addMatch(match, [call = std::move(handler)](sdbus::Message&) { call(); });
#endif
}

}  // namespace shorewatch::bus
