// A subscriber as a system service would be one: sd-bus, and nothing done with a signal but to note when it
// came. For the benches: a subscriber in Python takes longer to wake than what is measured.
//
// Prints each signal of the Manager about a container as tests/lab/record_signals.py does, details of simple
// types only, until it is killed.
//
// Usage: bench-subscriber ADDRESS
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <exception>
#include <utility>

#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include "tests/bench/sd_bus.h"

using namespace shorewatch::bench;

namespace {

using Writer = rapidjson::Writer<rapidjson::StringBuffer>;

void write_value(Writer& out, sd_bus_message* message, char type) {
    union {
        const char* text;
        std::uint64_t number;
        std::int32_t integer;
        int truth;
    } value{};
    check(sd_bus_message_read_basic(message, type, &value), "read a value");
    if (type == 's' || type == 'o') {
        out.String(value.text);
    } else if (type == 'i') {
        out.Int(value.integer);
    } else if (type == 'b') {
        out.Bool(value.truth != 0);
    } else {
        out.Uint64(value.number);
    }
}

bool is_simple(const char* type) {
    return std::strlen(type) == 1 && std::strchr("sotiub", *type) != nullptr;
}

void write_details(Writer& out, sd_bus_message* message) {
    out.StartObject();
    check(sd_bus_message_enter_container(message, 'a', "{sv}"), "enter the details");
    while (check(sd_bus_message_enter_container(message, 'e', "sv"), "enter an entry") > 0) {
        const char* key = nullptr;
        const char* contents = nullptr;
        check(sd_bus_message_read_basic(message, 's', &key), "read a key");
        check(sd_bus_message_peek_type(message, nullptr, &contents), "look at a value");
        check(sd_bus_message_enter_container(message, 'v', contents), "enter a value");
        if (is_simple(contents)) {
            out.Key(key);
            write_value(out, message, *contents);
        } else {
            check(sd_bus_message_skip(message, contents), "skip a value");
        }
        check(sd_bus_message_exit_container(message), "leave a value");
        check(sd_bus_message_exit_container(message), "leave an entry");
    }
    check(sd_bus_message_exit_container(message), "leave the details");
    out.EndObject();
}

int on_signal(sd_bus_message* message, void*, sd_bus_error*) noexcept {
    const std::uint64_t at = nanoseconds(CLOCK_REALTIME) / 1000;
    if (sd_bus_message_has_signature(message, "ssssota{sv}") <= 0) return 0;
    try {
        rapidjson::StringBuffer text;
        Writer out(text);
        out.StartObject();
        out.Key("at");
        out.Uint64(at);
        for (const auto& [key, value] : {std::pair{"sender", sd_bus_message_get_sender(message)},
                                         std::pair{"path", sd_bus_message_get_path(message)},
                                         std::pair{"interface", sd_bus_message_get_interface(message)},
                                         std::pair{"member", sd_bus_message_get_member(message)}}) {
            out.Key(key);
            out.String(value);
        }
        out.Key("args");
        out.StartArray();
        for (const char type : {'s', 's', 's', 's', 'o', 't'})
            write_value(out, message, type);
        write_details(out, message);
        out.EndArray();
        out.EndObject();
        std::puts(text.GetString());
        std::fflush(stdout);
        return 0;
    } catch (const std::exception& failure) {
        std::fprintf(stderr, "%s\n", failure.what());
        return -EINVAL;
    }
}

void subscribe(const char* address) {
    sd_event* event = nullptr;
    check(sd_event_new(&event), "make a loop");
    const Event loop(event);
    const Bus bus = connect(address);
    sd_bus* connection = bus.get();
    check(sd_bus_match_signal(connection, nullptr, "org.shorewatch1", nullptr, "org.shorewatch1.Manager",
                              nullptr, on_signal, nullptr),
          "subscribe");
    check(sd_bus_attach_event(connection, event, SD_EVENT_PRIORITY_NORMAL), "attach the connection");
    std::puts("listening");
    std::fflush(stdout);
    check(sd_event_loop(event), "listen");
}

}  // namespace

int main(int count, char** arguments) {
    if (count != 2) {
        std::fputs("Usage: bench-subscriber ADDRESS\n", stderr);
        return 2;
    }
    try {
        subscribe(arguments[1]);
        return 0;
    } catch (const std::exception& failure) {
        std::fprintf(stderr, "bench-subscriber: %s\n", failure.what());
        return 1;
    }
}
