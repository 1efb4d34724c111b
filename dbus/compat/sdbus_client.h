// The client's part of compat/sdbus.h: calls, match rules, and who sent a message.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <utility>

#include "dbus/compat/sdbus.h"

namespace shorewatch::bus {

// The first argument of a callback for an answer; false in a condition when there is no error.
#if SHOREWATCH_SDBUS_2
using AsyncError = std::optional<sdbus::Error>;
#else
using AsyncError = const sdbus::Error*;
#endif

struct CallOptions {
    bool interactive = false;            // a user may be asked to authenticate, which takes long
    std::chrono::microseconds limit{0};  // for the answer; 0: the library's own, 25 s
};

// Calls a method and waits for its answer, which is what Results are. Throws sdbus::Error.
template <typename... Results, typename... Arguments>
std::tuple<Results...> call(sdbus::IProxy& proxy, const char* interface, const char* method,
                            const CallOptions& options, const Arguments&... arguments) {
    auto message = proxy.createMethodCall(InterfaceName(interface), MemberName(method));
    ((void)(message << arguments), ...);
    if (options.interactive) sd_bus_message_set_allow_interactive_authorization(raw_message(message), 1);
    auto reply = proxy.callMethod(message, static_cast<std::uint64_t>(options.limit.count()));
    std::tuple<Results...> results;
    std::apply([&](auto&... result) { ((void)(reply >> result), ...); }, results);
    return results;
}

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
