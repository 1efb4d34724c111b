// What the benches' programs have of sd-bus in common.
#pragma once

#include <cstdint>
#include <cstring>
#include <ctime>
#include <memory>
#include <stdexcept>
#include <string>

#include <systemd/sd-bus.h>
#include <systemd/sd-event.h>

namespace shorewatch::bench {

struct Freed {
    void operator()(sd_bus* bus) const { sd_bus_flush_close_unref(bus); }
    void operator()(sd_bus_message* message) const { sd_bus_message_unref(message); }
    void operator()(sd_event* event) const { sd_event_unref(event); }
};
using Bus = std::unique_ptr<sd_bus, Freed>;
using Message = std::unique_ptr<sd_bus_message, Freed>;
using Event = std::unique_ptr<sd_event, Freed>;

inline int check(int result, const char* what) {
    if (result < 0) throw std::runtime_error(std::string(what) + ": " + std::strerror(-result));
    return result;
}

inline std::uint64_t nanoseconds(clockid_t clock) {
    timespec time{};
    ::clock_gettime(clock, &time);
    return static_cast<std::uint64_t>(time.tv_sec) * 1'000'000'000 + static_cast<std::uint64_t>(time.tv_nsec);
}

inline Bus connect(const char* address) {
    sd_bus* connection = nullptr;
    check(sd_bus_new(&connection), "make a connection");
    Bus bus(connection);
    check(sd_bus_set_address(connection, address), "take the address");
    check(sd_bus_set_bus_client(connection, 1), "be a client");
    check(sd_bus_start(connection), "connect");
    return bus;
}

inline std::string unique_name(sd_bus* bus) {
    const char* name = nullptr;
    check(sd_bus_get_unique_name(bus, &name), "have a name");
    return name;
}

// signature: "-", none; "u", number; "a{sv}", an empty one.
inline Message method_call(sd_bus* bus, const std::string& destination, const std::string& path,
                           const std::string& interface, const std::string& member,
                           const std::string& signature, std::uint32_t number) {
    sd_bus_message* made = nullptr;
    check(sd_bus_message_new_method_call(bus, &made, destination.c_str(), path.c_str(), interface.c_str(),
                                         member.c_str()),
          "make a call");
    Message message(made);
    if (signature == "u") {
        check(sd_bus_message_append_basic(made, 'u', &number), "append a number");
    } else if (signature == "a{sv}") {
        check(sd_bus_message_append(made, "a{sv}", 0), "append no options");
    }
    return message;
}

inline Message call(sd_bus* bus, sd_bus_message* message) {
    constexpr std::uint64_t patience_usec = 60'000'000;
    sd_bus_error error{};
    sd_bus_message* answer = nullptr;
    const int result = sd_bus_call(bus, message, patience_usec, &error, &answer);
    const std::string why = error.message != nullptr ? error.message : "no answer";
    sd_bus_error_free(&error);
    check(result, why.c_str());
    return Message(answer);
}

}  // namespace shorewatch::bench
