// Tells of each container that starts on this host. With sdbus-c++, 1.2 or 2:
//     g++ -std=c++20 started.cpp -o started $(pkg-config --cflags --libs sdbus-c++)
#include <cstdint>
#include <iostream>
#include <map>
#include <string>

#include <sdbus-c++/sdbus-c++.h>

#if __has_include(<sdbus-c++/VTableItems.h>)  // sdbus-c++ 2
const sdbus::ServiceName service{"org.shorewatch1"};
#else
const std::string service{"org.shorewatch1"};
#endif

int main() {
    const auto bus = sdbus::createSystemBusConnection();
    const auto manager = sdbus::createProxy(*bus, service, sdbus::ObjectPath{"/org/shorewatch1"});
    manager->uponSignal("ContainerStarted")
        .onInterface("org.shorewatch1.Manager")
        .call([](const std::string& engine, const std::string& /*project*/, const std::string& name,
                 const std::string& /*id*/, const sdbus::ObjectPath& /*path*/, std::uint64_t /*sequence*/,
                 const std::map<std::string, sdbus::Variant>& /*details*/) {
            std::cout << "started " << engine << ' ' << name << std::endl;
        });
#if !__has_include(<sdbus-c++/VTableItems.h>)
    manager->finishRegistration();
#endif
    std::cout << "watching" << std::endl;
    bus->enterEventLoop();
}
