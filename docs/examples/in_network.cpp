// Runs a program of this host in the network of a container, as root: in_network CONTAINER PROGRAM ARGUMENT…
// With libsystemd's sd-bus:
//     g++ -std=c++20 in_network.cpp -o in_network $(pkg-config --cflags --libs libsystemd)
#include <cerrno>
#include <cstdio>
#include <cstring>

#include <sched.h>
#include <systemd/sd-bus.h>
#include <unistd.h>

namespace {

constexpr const char* service = "org.shorewatch1";

// The reply to a method, in the root object or a container's; null, and said why, when there is none.
template <typename... Arguments>
sd_bus_message* ask(sd_bus* bus, const char* path, const char* interface, const char* method,
                    const char* signature, Arguments... arguments) {
    sd_bus_error error = SD_BUS_ERROR_NULL;
    sd_bus_message* reply = nullptr;
    if (sd_bus_call_method(bus, service, path, interface, method, &error, &reply, signature, arguments...) <
        0)
        std::fprintf(stderr, "%s: %s\n", method, error.message != nullptr ? error.message : "no answer");
    sd_bus_error_free(&error);
    return reply;
}

}  // namespace

int main(int count, char** arguments) {
    sd_bus* bus = nullptr;
    if (count < 3 || sd_bus_open_system(&bus) < 0) return 2;
    sd_bus_message* found =
        ask(bus, "/org/shorewatch1", "org.shorewatch1.Manager", "GetContainer", "s", arguments[1]);
    const char* path = nullptr;
    if (found == nullptr || sd_bus_message_read(found, "o", &path) < 0) return 1;
    sd_bus_message* opened = ask(bus, path, "org.shorewatch1.Container", "OpenNamespaces", "as", 1, "net");
    const char* type = nullptr;
    int net = -1;  // the message's, and closed with it
    if (opened == nullptr || sd_bus_message_read(opened, "a{sh}", 1, &type, &net) < 0) return 1;
    if (setns(net, CLONE_NEWNET) != 0) {
        std::fprintf(stderr, "setns: %s\n", std::strerror(errno));
        return 1;
    }
    sd_bus_message_unref(opened);
    sd_bus_message_unref(found);
    sd_bus_unref(bus);
    execvp(arguments[2], arguments + 2);
    std::fprintf(stderr, "%s: %s\n", arguments[2], std::strerror(errno));
    return 1;
}
