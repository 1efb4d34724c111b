// Follows the containers of this host, with libsystemd's sd-bus:
//     g++ -std=c++20 follow.cpp -o follow $(pkg-config --cflags --libs libsystemd)
#include <cstdint>
#include <cstdio>
#include <cstring>

#include <systemd/sd-bus.h>

namespace {

constexpr const char* service = "org.shorewatch1";
constexpr const char* manager = "org.shorewatch1.Manager";

int on_signal(sd_bus_message* message, void* known, sd_bus_error*) {
    const char* engine = nullptr;
    const char* project = nullptr;
    const char* name = nullptr;
    const char* id = nullptr;
    const char* path = nullptr;
    std::uint64_t sequence = 0;
    // Signals of engines have other arguments; only containers are wanted here.
    if (std::strncmp(sd_bus_message_get_member(message), "Container", 9) != 0) return 0;
    const int read = sd_bus_message_read(message, "ssssot", &engine, &project, &name, &id, &path, &sequence);
    if (read < 0) return read;
    if (sequence > *static_cast<std::uint64_t*>(known)) {
        std::printf("%s %s %s\n", sd_bus_message_get_member(message), engine, name);
        std::fflush(stdout);
    }
    return 0;
}

}  // namespace

int main() {
    sd_bus* bus = nullptr;
    sd_bus_message* reply = nullptr;
    sd_bus_error error = SD_BUS_ERROR_NULL;
    std::uint64_t known = 0;
    if (sd_bus_open_system(&bus) < 0) return 1;
    // Subscribe first, then list: what the list includes is left out of the signals.
    sd_bus_match_signal(bus, nullptr, service, "/org/shorewatch1", manager, nullptr, on_signal, &known);
    if (sd_bus_call_method(bus, service, "/org/shorewatch1", manager, "ListContainers", &error, &reply,
                           "a{sv}", 0) < 0) {
        std::fprintf(stderr, "cannot list containers: %s\n", error.message);
        return 1;
    }
    sd_bus_message_read(reply, "t", &known);
    sd_bus_message_unref(reply);
    while (true) {
        const int done = sd_bus_process(bus, nullptr);
        if (done < 0 || (done == 0 && sd_bus_wait(bus, UINT64_MAX) < 0)) return 1;
    }
}
