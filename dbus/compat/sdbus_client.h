// The client's part of compat/sdbus.h: asynchronous calls, match rules, and who sent a message.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "dbus/compat/sdbus.h"

namespace shorewatch::bus {

// The first argument of a callback for an answer; false in a condition when there is no error.
#if SHOREWATCH_SDBUS_2
using AsyncError = std::optional<sdbus::Error>;
#else
using AsyncError = const sdbus::Error*;
#endif

// A match rule at the bus, while it lives.
using Match = sdbus::Slot;

// Calls handler with each message that fits rule. The bus has the rule when this returns.
inline Match add_match(sdbus::IConnection& connection, const std::string& rule,
                       std::function<void(sdbus::Message&)> handler) {
    auto callback = [call = std::move(handler)](auto&& message) { call(message); };
#if SHOREWATCH_SDBUS_2
    return connection.addMatch(rule, std::move(callback), sdbus::return_slot);
#else
    return connection.addMatch(rule, std::move(callback));
#endif
}

// The unique name of the connection that sent a message, which the bus vouches for.
inline std::string sender_of(const sdbus::Message& message) {
#if SHOREWATCH_SDBUS_2
    const char* const sender = message.getSender();
    return sender == nullptr ? std::string() : std::string(sender);
#else
    return message.getSender();
#endif
}

// The same of the message that proxy handles now.
inline std::string current_sender(const sdbus::IProxy& proxy) {
#if SHOREWATCH_SDBUS_2
    return sender_of(proxy.getCurrentlyProcessedMessage());
#else
    const sdbus::Message* const message = proxy.getCurrentlyProcessedMessage();
    return message == nullptr ? std::string() : sender_of(*message);
#endif
}

}  // namespace shorewatch::bus
