// shorewatchd: puts the daemon's inside and its face on the bus together, and turns the main loop.
#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <exception>
#include <functional>
#include <iostream>
#include <string>

#include <malloc.h>
#include <sysexits.h>
#include <systemd/sd-id128.h>

#include "daemon/configuration.h"
#include "daemon/daemon.h"
#include "daemon/options.h"
#include "daemon/service_manager.h"
#include "dbus/service/bus_face.h"
#include "engines/engine_factory.h"
#include "engines/support/event_loop.h"
#include "engines/support/log.h"

namespace shorewatch {
namespace {

// Rule 13: how long the name on the bus, and READY=1, wait for engines that are slow to answer.
constexpr Clock::duration longest_wait_for_ready = std::chrono::seconds(5);

Configuration read(const Options& options) {
    return read_configuration(options.configuration, options.configuration_named, options.user,
                              known_engine_types());
}

// Signals are taken by the main loop. Blocked before there is any other thread, so in all of them.
void block_signals() {
    sigset_t signals;
    sigemptyset(&signals);
    for (const int signal_number : {SIGTERM, SIGINT, SIGHUP})
        sigaddset(&signals, signal_number);
    pthread_sigmask(SIG_BLOCK, &signals, nullptr);
    (void)signal(SIGPIPE, SIG_IGN);  // Of connections; writing says EPIPE.
}

std::string new_instance_id() {
    sd_id128_t id{};
    if (sd_id128_randomize(&id) < 0)
        throw std::runtime_error("cannot make an instance id: no random numbers");
    std::array<char, SD_ID128_STRING_MAX> text{};
    return sd_id128_to_string(id, text.data());
}

// What systemctl status shows. No count of containers: it would have to be told at each start and exit.
std::string describe(const Registry& registry) {
    const auto engines = registry.engines();
    const auto watched = std::ranges::count(
        engines, EngineState::watching, [](const PublishedEngine* engine) { return engine->status().state; });
    return "Engines watched: " + std::to_string(watched) + " of " + std::to_string(engines.size());
}

void reload(Daemon& daemon) {
    try {
        daemon.reload();
        log::info("the configuration was read again");
    } catch (const ConfigurationError& error) {
        log::error("the configuration stays as it was: " + std::string(error.what()));
    }
}

int serve(const Options& options) {
    const Configuration configuration = read(options);
    block_signals();
    EventLoop loop;
    int exit_code = EX_OK;
    // Called when the face is there: engines come with apply(), below.
    std::function<void()> show_tasks;
    Daemon daemon(
        loop, options.user, [&options] { return read(options); },
        [&daemon] { service_manager::status(describe(daemon.registry())); }, [&show_tasks] { show_tasks(); });
    bus::BusFace face(loop, daemon.registry(), daemon,
                      {options.user, new_instance_id(), [&](const std::string& why) {
                           log::error(why);
                           exit_code = EXIT_FAILURE;
                           loop.stop();
                       }});
    show_tasks = [&face] { face.tasks_changed(); };
    face.connect();

    const auto go_public = [&, published = false]() mutable {
        if (std::exchange(published, true)) return;
        face.publish();
        service_manager::ready();
    };
    Timer patience(loop, go_public);
    patience.arm_after(longest_wait_for_ready);
    // By way of the timer: the registry is in the middle of a change when it says so.
    daemon.registry().when_ready([&] { patience.arm_after(Clock::duration::zero()); });

    const auto stop = [&] {
        service_manager::stopping();
        loop.stop();
    };
    const EventSource on_terminate = loop.on_signal(SIGTERM, stop);
    const EventSource on_interrupt = loop.on_signal(SIGINT, stop);
    const EventSource on_hangup = loop.on_signal(SIGHUP, [&] { reload(daemon); });
    const service_manager::Watchdog watchdog(loop, [&] { return daemon.is_turning(); });

    daemon.apply(configuration);
    loop.run();
    return exit_code;
}

int check(const Options& options) {
    const Configuration configuration = read(options);
    if (configuration.discover) {
        std::cout << "engines at well-known sockets"
                  << (configuration.discover_users ? ", users' engines among them" : "") << '\n';
    }
    for (const EngineConfiguration& engine : configuration.engines) {
        std::cout << engine.name << ": " << engine.type << " at " << engine.endpoint.url()
                  << (engine.enabled ? "" : " (not enabled)") << '\n';
    }
    return EX_OK;
}

int run(int argc, char** argv) {
    const ParsedOptions parsed = parse_options(argc, argv);
    if (!parsed.options) return parsed.exit_code;
    if (parsed.options->debug) log::set_level(log::Level::debug);
    return parsed.options->check ? check(*parsed.options) : serve(*parsed.options);
}

}  // namespace
}  // namespace shorewatch

int main(int argc, char** argv) {
    using namespace shorewatch;
    // One heap for all threads. With one for each, what a watcher's thread frees after a large list stays
    // with it, between containers that live on, and is of no use to the others.
    // NOLINTBEGIN(concurrency-mt-unsafe): there is no other thread yet
    ::mallopt(M_ARENA_MAX, 1);
    // What is large never comes from the heap, nor stays there when freed. The allocator's own limits are
    // these only until something larger was freed once; after one answer of 12 MB it would keep 24 MB for the
    // next.
    ::mallopt(M_MMAP_THRESHOLD, 128 << 10);
    ::mallopt(M_TRIM_THRESHOLD, 1 << 20);
    // NOLINTEND(concurrency-mt-unsafe)
    try {
        return run(argc, argv);
    } catch (const ConfigurationError& error) {
        log::error(error.what());
        return EX_CONFIG;
    } catch (const std::exception& error) {
        log::error(error.what());
        return EXIT_FAILURE;
    }
}
