// Follows the containers of this host: no gap, no repeat. With libsystemd's sd-bus:
//     g++ -std=c++20 follow.cpp -o follow $(pkg-config --cflags --libs libsystemd)
#include <cstdint>
#include <cstdio>

#include <systemd/sd-bus.h>

namespace {

constexpr const char* service = "org.shorewatch1";
constexpr const char* root = "/org/shorewatch1";
constexpr const char* manager = "org.shorewatch1.Manager";

// Signals up to this sequence are of the past; until there is a list, all are.
std::uint64_t known = UINT64_MAX;

int on_signal(sd_bus_message* message, void*, sd_bus_error*) {
    const char* engine = nullptr;
    const char* project = nullptr;
    const char* name = nullptr;
    const char* id = nullptr;
    const char* path = nullptr;
    std::uint64_t sequence = 0;
    // EngineStateChanged has other arguments; only containers are wanted here.
    if (sd_bus_message_has_signature(message, "ssssota{sv}") <= 0) return 0;
    const int read = sd_bus_message_read(message, "ssssot", &engine, &project, &name, &id, &path, &sequence);
    if (read < 0) return read;
    if (sequence > known) std::printf("%s %s %s\n", sd_bus_message_get_member(message), engine, name);
    std::fflush(stdout);
    return 0;
}

int on_list(sd_bus_message* reply, void*, sd_bus_error*) {
    // There is no daemon yet: its coming is told by on_owner().
    if (sd_bus_message_is_method_error(reply, nullptr) > 0) return 0;
    const int read = sd_bus_message_read(reply, "t", &known);
    if (read < 0) return read;
    std::printf("following\n");  // what follows in the reply are the containers: a(oa{sv})
    std::fflush(stdout);
    return 0;
}

int list_containers(sd_bus* bus) {
    return sd_bus_call_method_async(bus, nullptr, service, root, manager, "ListContainers", on_list, nullptr,
                                    "a{sv}", 0);
}

// A daemon that starts again counts from 1 again.
int on_owner(sd_bus_message* message, void*, sd_bus_error*) {
    known = UINT64_MAX;
    return list_containers(sd_bus_message_get_bus(message));
}

}  // namespace

int main() {
    sd_bus* bus = nullptr;
    if (sd_bus_open_system(&bus) < 0) return 1;
    // Subscribe first, then list: what the list includes is left out of the signals.
    if (sd_bus_match_signal(bus, nullptr, service, root, manager, nullptr, on_signal, nullptr) < 0 ||
        sd_bus_add_match(bus, nullptr,
                         "type='signal',sender='org.freedesktop.DBus',member='NameOwnerChanged',"
                         "arg0='org.shorewatch1'",
                         on_owner, nullptr) < 0 ||
        list_containers(bus) < 0) {
        return 1;
    }
    while (true) {
        const int done = sd_bus_process(bus, nullptr);
        if (done < 0 || (done == 0 && sd_bus_wait(bus, UINT64_MAX) < 0)) return 1;
    }
}
