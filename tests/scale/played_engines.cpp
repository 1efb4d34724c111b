// Four played engines, Docker, Podman, containerd and CRI-O, that speak the real protocols, with many
// containers.
//
// Usage: played-engines CONTAINERS
// Prints {"docker": URL, "podman": URL, "containerd": URL, "crio": URL}. Then takes commands on stdin, and
// answers each with a line:
//     churn SECONDS RATE   ends so many containers a second, and starts as many: {"churned": number}
//     truth                {"digest": …, "alive": {engine: [id, …]}}; digest as in digest.h
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <exception>
#include <functional>
#include <iostream>
#include <random>
#include <sstream>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "engines/http/json_writer.h"
#include "tests/fakes/fake_containerd.h"
#include "tests/fakes/fake_crio.h"
#include "tests/fakes/fake_docker.h"
#include "tests/scale/digest.h"
#include "tests/scale/fake_podman.h"

namespace shorewatch::scale {
namespace {

constexpr int exit_code = 7;
// Above PID_MAX_LIMIT: no process of this machine can have such a pid. The fakes' own begin below.
constexpr std::uint32_t first_pid = 50'000'000;
constexpr const char* name_space = "scale";
constexpr const char* pod = "pod0";
constexpr auto tick = std::chrono::milliseconds(10);

// One engine, by what starts a container and ends it.
struct Player {
    std::string name;
    std::string url;
    // The id as it is published.
    std::function<std::string(const std::string& name, std::uint32_t pid)> start;
    std::function<void(const std::string& id)> end;
    std::vector<std::string> alive;
};

class PlayedEngines {
  public:
    PlayedEngines() {
        crio_.put(fakes::FakeCrio::Pod{.id = pod, .name = pod});
        players_.push_back({"docker",
                            docker_.endpoint().url(),
                            [this](const std::string& name, std::uint32_t pid) {
                                return docker_.start({.name = name, .pid = pid});
                            },
                            [this](const std::string& id) {
                                docker_.die(id, exit_code);
                                docker_.remove(id);
                            },
                            {}});
        players_.push_back({"podman",
                            podman_.endpoint().url(),
                            [this](const std::string& name, std::uint32_t pid) {
                                podman_.start(name, name, pid);
                                return name;
                            },
                            [this](const std::string& id) { podman_.remove(id, exit_code); },
                            {}});
        players_.push_back({"containerd",
                            containerd_.endpoint().url(),
                            [this](const std::string& name, std::uint32_t pid) {
                                containerd_.put(name_space, {.id = name, .pid = pid});
                                containerd_.emit_start(name_space, name, pid);
                                return name_space + ("/" + name);
                            },
                            [this](const std::string& id) {
                                const std::string name = id.substr(id.find('/') + 1);
                                const std::uint32_t pid = containerd_.remove(name_space, name);
                                containerd_.emit_exit(name_space, name, exit_code, {}, pid);
                            },
                            {}});
        players_.push_back(
            {"crio",
             crio_.endpoint().url(),
             [this](const std::string& name, std::uint32_t pid) {
                 crio_.put(fakes::FakeCrio::Container{.id = name, .pod = pod, .name = name, .pid = pid});
                 crio_.emit(name, true, pod);
                 return name;
             },
             [this](const std::string& id) {
                 crio_.remove(id);
                 crio_.emit(id, false, pod, exit_code);
             },
             {}});
    }

    void start_one() {
        Player& player = players_[number_ % players_.size()];
        std::string name = player.name + std::to_string(number_);
        player.alive.push_back(player.start(name, first_pid + number_));
        digest_.add(player.name, player.alive.back());
        ++number_;
    }

    // Any of those of the engine that is to start the next one.
    void end_one() {
        Player& player = players_[number_ % players_.size()];
        std::uniform_int_distribution<std::size_t> any(0, player.alive.size() - 1);
        std::swap(player.alive[any(random_)], player.alive.back());
        digest_.remove(player.name, player.alive.back());
        player.end(player.alive.back());
        player.alive.pop_back();
    }

    std::uint64_t churn(unsigned seconds, unsigned rate) {
        const auto begin = std::chrono::steady_clock::now();
        const std::uint64_t all = std::uint64_t{seconds} * rate;
        std::uint64_t done = 0;
        for (auto next = begin + tick; done < all; next += tick) {
            std::this_thread::sleep_until(next);
            const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - begin;
            const auto due = std::min(all, static_cast<std::uint64_t>(elapsed.count() * rate));
            for (; done < due; ++done) {
                end_one();
                start_one();
            }
        }
        return done;
    }

    [[nodiscard]] std::string urls() const {
        json::Writer out;
        out.begin_object();
        for (const Player& player : players_)
            out.member(player.name, player.url);
        out.end_object();
        return std::string(out.written());
    }

    [[nodiscard]] std::string truth() const {
        json::Writer out;
        out.begin_object();
        out.member("digest", std::to_string(digest_.value()));
        out.key("alive");
        out.begin_object();
        for (const Player& player : players_)
            out.texts(player.name, player.alive);
        out.end_object();
        out.end_object();
        return std::string(out.written());
    }

  private:
    fakes::FakeDocker docker_;
    FakePodman podman_;
    fakes::FakeContainerd containerd_;
    fakes::FakeCrio crio_;
    std::vector<Player> players_;
    std::uint32_t number_ = 0;
    std::mt19937 random_{1};
    Digest digest_;
};

void play(unsigned containers) {
    PlayedEngines engines;
    for (unsigned number = 0; number < containers; ++number)
        engines.start_one();
    std::cout << engines.urls() << std::endl;
    std::string line;
    while (std::getline(std::cin, line)) {
        std::istringstream words(line);
        std::string command;
        unsigned seconds = 0;
        unsigned rate = 0;
        words >> command >> seconds >> rate;
        if (command == "churn") {
            std::cout << R"({"churned":)" << engines.churn(seconds, rate) << '}' << std::endl;
        } else {
            std::cout << engines.truth() << std::endl;
        }
    }
}

}  // namespace
}  // namespace shorewatch::scale

int main(int count, char** arguments) {
    try {
        shorewatch::scale::play(count > 1 ? static_cast<unsigned>(std::strtoul(arguments[1], nullptr, 10))
                                          : 0U);
        return 0;
    } catch (const std::exception& failure) {
        std::cerr << "played-engines: " << failure.what() << '\n';
        return 1;
    }
}
