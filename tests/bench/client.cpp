// A client of a bus that measures: the time of calls, and of the arrival of many signals. What answers and
// signals hold is not looked at.
//
// Prints its unique name, then obeys a line of standard input after the other, until that ends:
//   call DESTINATION PATH INTERFACE METHOD SIGNATURE NUMBER COUNT
//                          that many calls, one after the other; prints the time of each in ns, in one line
//   turns COUNT DESTINATION … NUMBER DESTINATION … NUMBER
//                          of two calls that many each, in turns; prints the times of both, in turns
//   count SENDER COUNT     prints "counting", and once that many signals came from there, the moments of the
//                          first and the last in ns of CLOCK_MONOTONIC
//
// Usage: bench-client ADDRESS
#include <cstdio>
#include <exception>
#include <iostream>
#include <sstream>
#include <string>

#include "tests/bench/sd_bus.h"

using namespace shorewatch::bench;

namespace {

struct Counted {
    std::uint64_t count = 0;
    std::uint64_t first = 0;
    std::uint64_t last = 0;
};

int on_signal(sd_bus_message*, void* data, sd_bus_error*) noexcept {
    auto& counted = *static_cast<Counted*>(data);
    counted.last = nanoseconds(CLOCK_MONOTONIC);
    if (counted.count++ == 0) counted.first = counted.last;
    return 0;
}

struct Call {
    std::string destination;
    std::string path;
    std::string interface;
    std::string member;
    std::string signature;
    std::uint32_t number = 0;
};

Call read_call(std::istream& words) {
    Call read;
    if (!(words >> read.destination >> read.path >> read.interface >> read.member >> read.signature >>
          read.number))
        throw std::runtime_error("call what?");
    return read;
}

std::uint64_t read_count(std::istream& words) {
    std::uint64_t count = 0;
    if (!(words >> count)) throw std::runtime_error("how often?");
    return count;
}

void measure(sd_bus* bus, const Call& what, std::string& times) {
    const Message message = method_call(bus, what.destination, what.path, what.interface, what.member,
                                        what.signature, what.number);
    const std::uint64_t begin = nanoseconds(CLOCK_MONOTONIC);
    const Message answer = call(bus, message.get());
    times.append(std::to_string(nanoseconds(CLOCK_MONOTONIC) - begin)).append(" ");
}

void measure_calls(sd_bus* bus, std::istream& words) {
    const Call what = read_call(words);
    std::string times;
    for (std::uint64_t count = read_count(words); count > 0; --count)
        measure(bus, what, times);
    std::puts(times.c_str());
}

void measure_turns(sd_bus* bus, std::istream& words) {
    std::uint64_t count = read_count(words);
    const Call one = read_call(words);
    const Call other = read_call(words);
    std::string times;
    for (; count > 0; --count) {
        measure(bus, one, times);
        measure(bus, other, times);
    }
    std::puts(times.c_str());
}

void count_signals(sd_bus* bus, std::istream& words) {
    std::string sender;
    std::uint64_t count = 0;
    if (!(words >> sender >> count)) throw std::runtime_error("count what?");
    Counted counted;
    sd_bus_slot* slot = nullptr;
    const std::string match = "type='signal',sender='" + sender + "'";
    check(sd_bus_add_match(bus, &slot, match.c_str(), on_signal, &counted), "subscribe");
    std::puts("counting");
    std::fflush(stdout);
    while (counted.count < count) {
        if (check(sd_bus_process(bus, nullptr), "read") == 0) check(sd_bus_wait(bus, UINT64_MAX), "wait");
    }
    sd_bus_slot_unref(slot);
    std::printf("%ju %ju\n", static_cast<std::uintmax_t>(counted.first),
                static_cast<std::uintmax_t>(counted.last));
}

void obey(sd_bus* bus) {
    for (std::string line; std::getline(std::cin, line); std::fflush(stdout)) {
        std::istringstream words(line);
        std::string what;
        words >> what;
        if (what == "call") {
            measure_calls(bus, words);
        } else if (what == "turns") {
            measure_turns(bus, words);
        } else if (what == "count") {
            count_signals(bus, words);
        } else {
            throw std::runtime_error("what is " + what + "?");
        }
    }
}

}  // namespace

int main(int count, char** arguments) {
    if (count != 2) {
        std::fputs("Usage: bench-client ADDRESS\n", stderr);
        return 2;
    }
    try {
        const Bus bus = connect(arguments[1]);
        std::puts(unique_name(bus.get()).c_str());
        std::fflush(stdout);
        obey(bus.get());
        return 0;
    } catch (const std::exception& failure) {
        std::fprintf(stderr, "bench-client: %s\n", failure.what());
        return 1;
    }
}
