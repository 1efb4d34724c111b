#include "daemon/processes/addresses.h"

#include <array>
#include <bit>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <exception>
#include <memory>
#include <system_error>
#include <thread>

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/socket.h>

namespace shorewatch {

namespace {

template <typename Bytes>
unsigned ones(const Bytes& mask) {
    unsigned count = 0;
    for (const unsigned char byte : std::bit_cast<std::array<unsigned char, sizeof mask>>(mask))
        count += static_cast<unsigned>(std::popcount(byte));
    return count;
}

template <typename Socket, typename Address>
std::string text_of(const ifaddrs& entry, Address Socket::* member) {
    std::array<char, INET6_ADDRSTRLEN> text{};
    Socket address{};
    std::memcpy(&address, entry.ifa_addr, sizeof address);
    Socket mask{};
    if (entry.ifa_netmask != nullptr) std::memcpy(&mask, entry.ifa_netmask, sizeof mask);
    if (inet_ntop(entry.ifa_addr->sa_family, &(address.*member), text.data(), text.size()) == nullptr)
        return {};
    return std::string(text.data()) + "/" + std::to_string(ones(mask.*member));
}

std::vector<InterfaceAddress> addresses_here() {
    ifaddrs* first = nullptr;
    if (getifaddrs(&first) != 0)
        throw std::system_error(errno, std::generic_category(), "cannot list addresses");
    const std::unique_ptr<ifaddrs, decltype(&freeifaddrs)> owner(first, &freeifaddrs);
    std::vector<InterfaceAddress> found;
    for (const ifaddrs* entry = first; entry != nullptr; entry = entry->ifa_next) {
        if (entry->ifa_addr == nullptr) continue;
        std::string text;
        if (entry->ifa_addr->sa_family == AF_INET) text = text_of(*entry, &sockaddr_in::sin_addr);
        if (entry->ifa_addr->sa_family == AF_INET6) text = text_of(*entry, &sockaddr_in6::sin6_addr);
        if (!text.empty()) found.emplace_back(entry->ifa_name, std::move(text));
    }
    return found;
}

}  // namespace

// The thread has it to itself until it has posted that it is done.
struct AddressReader::Visit {
    UniqueFd network_namespace;
    Reply reply;
    std::vector<InterfaceAddress> found;
    std::exception_ptr failure;
    std::thread thread;

    void run() noexcept {
        try {
            if (setns(network_namespace.get(), CLONE_NEWNET) != 0)
                throw std::system_error(errno, std::generic_category(), "cannot enter its network namespace");
            found = addresses_here();
        } catch (...) {
            failure = std::current_exception();
        }
    }
};

AddressReader::AddressReader(EventLoop& loop) : loop_(loop) {}

AddressReader::~AddressReader() {
    for (const auto& visit : visits_)
        visit->thread.join();
}

bool AddressReader::read(UniqueFd network_namespace, Reply reply) {
    if (visits_.size() >= most) return false;
    auto visit = std::make_unique<Visit>();
    visit->network_namespace = std::move(network_namespace);
    visit->reply = std::move(reply);
    visits_.push_front(std::move(visit));
    const auto place = visits_.begin();
    const auto run = [this, place, alive = std::weak_ptr(alive_)] {
        (*place)->run();
        loop_.post([this, place, alive] {
            if (!alive.expired()) finish(place);
        });
    };
    try {
        (*place)->thread = std::thread(run);
    } catch (const std::system_error&) {
        visits_.erase(place);
        throw;
    }
    return true;
}

void AddressReader::finish(std::list<std::unique_ptr<Visit>>::iterator visit) {
    const std::unique_ptr<Visit> done = std::move(*visit);
    visits_.erase(visit);
    done->thread.join();
    done->reply(done->found, done->failure);
}

}  // namespace shorewatch
