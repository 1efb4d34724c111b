// The addresses that network namespaces have, and what happens when there is too much to read or nobody left
// to tell.
#include <cstring>
#include <exception>
#include <filesystem>
#include <optional>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon/processes/addresses.h"
#include "tests/fakes/drive.h"
#include "tests/fakes/leak_check.h"
#include "tests/unit/catch.h"
#include "tests/unit/child_process.h"

using namespace shorewatch;
using fakes::drive;

namespace {

void enter_new_network() {
    if (::unshare(CLONE_NEWNET) != 0) ::_exit(1);
}

void enter_new_network_with_loopback() {
    enter_new_network();
    const int socket = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    ifreq request{};
    std::memcpy(&request.ifr_name[0], "lo", sizeof "lo");
    request.ifr_flags = IFF_UP;
    if (::ioctl(socket, SIOCSIFFLAGS, &request) != 0) ::_exit(1);
    ::close(socket);
}

UniqueFd network_of(const ChildProcess& child) {
    const std::string path = "/proc/" + std::to_string(child.pid()) + "/ns/net";
    UniqueFd network(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    REQUIRE(network);
    return network;
}

struct World {
    struct Answer {
        std::vector<InterfaceAddress> addresses;
        std::exception_ptr failure;
    };

    EventLoop loop;
    std::vector<Answer> answers;
    std::optional<AddressReader> reader{std::in_place, loop};

    bool read(UniqueFd network) {
        return reader->read(std::move(network), [this](const auto& addresses, std::exception_ptr failure) {
            answers.push_back({addresses, std::move(failure)});
        });
    }
    Answer answer_of(UniqueFd network) {
        const bool begun = read(std::move(network));
        REQUIRE(begun);
        CHECK(answers.empty());  // not within the call
        REQUIRE(drive(loop, [&] { return !answers.empty(); }));
        Answer answer = answers.front();
        answers.clear();
        return answer;
    }
};

}  // namespace

TEST_CASE("the addresses of a network namespace are its own, loopback included") {
    const fakes::LeakCheck leaks;
    World world;
    const ChildProcess child(enter_new_network_with_loopback);
    const auto answer = world.answer_of(network_of(child));
    REQUIRE_FALSE(answer.failure);
    const InterfaceAddress v4{"lo", "127.0.0.1/8"};
    const InterfaceAddress v6{"lo", "::1/128"};
    REQUIRE_FALSE(answer.addresses.empty());
    CHECK(answer.addresses.front() == v4);
    // Whether there is IPv6 is the kernel's.
    for (std::size_t i = 1; i < answer.addresses.size(); ++i)
        CHECK(answer.addresses[i] == v6);
    CHECK(answer.addresses.size() <= 2);
}

TEST_CASE("a network namespace in which nothing is up has no addresses, and that is no failure") {
    World world;
    const ChildProcess child(enter_new_network);
    const auto answer = world.answer_of(network_of(child));
    CHECK_FALSE(answer.failure);
    CHECK(answer.addresses.empty());
}

TEST_CASE("whoever reads addresses stays in its own network namespace") {
    World world;
    const ChildProcess child(enter_new_network);
    const auto before = std::filesystem::read_symlink("/proc/thread-self/ns/net");
    (void)world.answer_of(network_of(child));
    CHECK(std::filesystem::read_symlink("/proc/thread-self/ns/net") == before);
}

TEST_CASE("a descriptor of no network namespace is a failure, and says why") {
    World world;
    UniqueFd none;
    SECTION("a folder") {
        none.reset(::open("/", O_RDONLY | O_CLOEXEC));
    }
    SECTION("a namespace of another type") {
        none.reset(::open("/proc/self/ns/uts", O_RDONLY | O_CLOEXEC));
    }
    SECTION("no descriptor") {}
    const auto answer = world.answer_of(std::move(none));
    CHECK(answer.addresses.empty());
    REQUIRE(answer.failure);
    CHECK_THROWS_AS(std::rethrow_exception(answer.failure), std::system_error);
    CHECK_THROWS_WITH(std::rethrow_exception(answer.failure),
                      Catch::Matchers::ContainsSubstring("network namespace"));
}

TEST_CASE(
    "no more are read at once than are allowed, all of these are answered, and then there is room again") {
    const fakes::LeakCheck leaks;
    World world;
    const ChildProcess child(enter_new_network_with_loopback);
    for (std::size_t i = 0; i < AddressReader::most; ++i)
        REQUIRE(world.read(network_of(child)));
    CHECK_FALSE(world.read(network_of(child)));
    REQUIRE(drive(world.loop, [&] { return world.answers.size() == AddressReader::most; }));
    for (const World::Answer& answer : world.answers) {
        CHECK_FALSE(answer.failure);
        CHECK_FALSE(answer.addresses.empty());
    }
    world.answers.clear();
    CHECK_FALSE(world.answer_of(network_of(child)).failure);
}

TEST_CASE("a reply may ask for more") {
    World world;
    const ChildProcess child(enter_new_network_with_loopback);
    bool over = false;
    REQUIRE(world.reader->read(network_of(child), [&](const auto&, const std::exception_ptr&) {
        CHECK(world.reader->read(network_of(child),
                                 [&](const auto&, const std::exception_ptr&) { over = true; }));
    }));
    CHECK(drive(world.loop, [&] { return over; }));
}

TEST_CASE("a reader that goes while some are read calls nobody back, and leaves nothing behind") {
    const fakes::LeakCheck leaks;
    World world;
    const ChildProcess child(enter_new_network_with_loopback);
    for (int i = 0; i < 8; ++i)
        REQUIRE(world.read(network_of(child)));
    world.reader.reset();
    bool turned = false;
    world.loop.post([&] { turned = true; });  // after whatever the threads have posted
    CHECK(drive(world.loop, [&] { return turned; }));
    CHECK(world.answers.empty());
}
