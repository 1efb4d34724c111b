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

// Calls a method and passes its answer on, which is what Results are; on_answer(error, results...), with
// empty results when there is an error, is called by the loop of the connection, and no more once proxy is
// gone. It throws nothing. Throws sdbus::Error when the call can't be sent.
template <typename... Results, typename OnAnswer, typename... Arguments>
void call_async(sdbus::IProxy& proxy, const char* interface, const char* method, const CallOptions& options,
                OnAnswer on_answer, const Arguments&... arguments) {
    auto message = proxy.createMethodCall(InterfaceName(interface), MemberName(method));
    ((void)(message << arguments), ...);
    if (options.interactive) sd_bus_message_set_allow_interactive_authorization(raw_message(message), 1);
    auto handler = [on_answer = std::move(on_answer)](auto&& reply, AsyncError error) {
        std::tuple<Results...> results;
        std::optional<sdbus::Error> wrong;
        if (error) {
            wrong.emplace(*error);
        } else {
            try {
                std::apply([&](auto&... result) { ((void)(reply >> result), ...); }, results);
            } catch (const sdbus::Error& malformed) {
                wrong.emplace(malformed);
                results = {};
            }
        }
        std::apply([&](auto&... result) { on_answer(wrong, std::move(result)...); }, results);
    };
    const auto limit = static_cast<std::uint64_t>(options.limit.count());
#if SHOREWATCH_SDBUS_2
    proxy.callMethodAsync(message, std::move(handler), limit);
#else
    proxy.callMethod(message, std::move(handler), limit);
#endif
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
