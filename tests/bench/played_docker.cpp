// A played Docker engine with many containers, for what is measured of the daemon and not of engines. Their
// pids are no processes of this machine.
//
// Prints its socket once all containers are there, and ends with its standard input.
//
// Usage: bench-played-docker CONTAINERS LABELS
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string>
#include <utility>

#include <unistd.h>

#include "tests/fakes/fake_docker.h"

using namespace shorewatch::fakes;

int main(int count, char** arguments) {
    if (count != 3) {
        std::fputs("Usage: bench-played-docker CONTAINERS LABELS\n", stderr);
        return 2;
    }
    try {
        const unsigned long containers = std::strtoul(arguments[1], nullptr, 10);
        const unsigned long labels = std::strtoul(arguments[2], nullptr, 10);
        FakeDocker engine;
        for (unsigned long number = 0; number < containers; ++number) {
            ContainerSpec spec;
            spec.name = "container-" + std::to_string(number);
            spec.labels.emplace_back("com.docker.compose.project", "project-" + std::to_string(number % 100));
            for (unsigned long label = 1; label < labels; ++label)
                spec.labels.emplace_back("com.example.label." + std::to_string(label), std::string(20, 'v'));
            engine.start(std::move(spec), Tell::never);
        }
        std::puts(engine.socket().c_str());
        std::fflush(stdout);
        char ignored[256];
        while (::read(STDIN_FILENO, ignored, sizeof ignored) > 0) {
        }
        return 0;
    } catch (const std::exception& failure) {
        std::fprintf(stderr, "bench-played-docker: %s\n", failure.what());
        return 1;
    }
}
