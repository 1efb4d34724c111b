// Every order in which events, lists and inspections can meet: each run is published once, and what is shown
// in the end is what is.
#include <cstddef>
#include <random>
#include <string>
#include <vector>

#include "tests/unit/catch.h"
#include "tests/unit/tracker_world.h"

using namespace shorewatch;
using namespace shorewatch::testing;

namespace {

using Kind = Deed::Kind;

std::vector<Deed> deeds(std::initializer_list<Kind> kinds) {
    std::vector<Deed> result;
    for (const Kind kind : kinds)
        result.push_back({kind, "c"});
    return result;
}

// Runs a world to its end; choose(n) picks one of n steps.
template <typename Choose>
std::string run(const std::vector<Deed>& before, const std::vector<Deed>& script, Traits traits,
                Choose choose) {
    TrackerWorld world(script, traits);
    world.before(before);
    world.open_stream();
    constexpr std::size_t most_steps = 2000;
    std::size_t steps = 0;
    do {
        while (const std::size_t choices = world.choices()) {
            world.take(choose(choices));
            if (++steps > most_steps) return "it never comes to rest: " + world.history().substr(0, 2000);
        }
    } while (world.let_time_pass() && ++steps <= most_steps);
    const std::string verdict = world.verdict();
    return verdict.empty() ? "" : verdict + " after " + world.history();
}

// Walks the tree of all choices, depth first: each run repeats the choices of the one before up to the last
// that can still be another.
std::size_t run_all_orders(const std::vector<Deed>& before, const std::vector<Deed>& script, Traits traits) {
    struct Choice {
        std::size_t taken;
        std::size_t of;
    };
    std::vector<Choice> path;
    std::size_t runs = 0;
    do {
        std::size_t depth = 0;
        const std::string wrong = run(before, script, traits, [&](std::size_t of) {
            if (depth == path.size()) path.push_back({0, of});
            return path[depth++].taken;
        });
        if (!wrong.empty()) FAIL(wrong);
        ++runs;
        while (!path.empty() && path.back().taken + 1 == path.back().of)
            path.pop_back();
        if (!path.empty()) ++path.back().taken;
    } while (!path.empty());
    return runs;
}

void run_random_orders(std::size_t runs, Traits traits, unsigned seed) {
    std::mt19937 random(seed);
    const auto below = [&](std::size_t n) {
        return std::uniform_int_distribution<std::size_t>(0, n - 1)(random);
    };
    constexpr Kind kinds[] = {Kind::start, Kind::die,     Kind::start,  Kind::die,
                              Kind::pause, Kind::unpause, Kind::rename, Kind::remove};
    for (std::size_t i = 0; i < runs; ++i) {
        const auto some = [&](std::size_t count) {
            std::vector<Deed> result;
            for (std::size_t n = 0; n < count; ++n)
                result.push_back({kinds[below(8)], below(2) ? "c" : "d"});
            return result;
        };
        const auto before = some(below(4));
        const auto script = some(2 + below(10));
        const std::string wrong = run(before, script, traits, below);
        if (!wrong.empty()) {
            FAIL("seed " << seed << ", run " << i << " (" << traits.list_is_complete
                         << traits.exit_events_tell_code << traits.auto_remove << traits.events_are_doubled
                         << traits.can_be_cut << traits.replayed << traits.kernel_tells_code
                         << traits.engine_lags << traits.exits_told_late << "): " << wrong);
        }
    }
}

const std::vector<std::vector<Deed>> scripts{
    deeds({Kind::start, Kind::die}),    deeds({Kind::die, Kind::start}),
    deeds({Kind::start, Kind::pause}),  deeds({Kind::pause, Kind::unpause}),
    deeds({Kind::start, Kind::rename}), deeds({Kind::start, Kind::die, Kind::remove}),
};

}  // namespace

TEST_CASE("all orders of short histories, on an engine whose containers are inspected one by one") {
    std::size_t runs = 0;
    for (const auto& script : scripts) {
        runs += run_all_orders({}, script, {});
        runs += run_all_orders(deeds({Kind::start}), script, {});
    }
    runs += run_all_orders({}, deeds({Kind::start, Kind::die}), {.auto_remove = true});
    runs += run_all_orders({}, deeds({Kind::start, Kind::die}), {.exit_events_tell_code = false});
    CHECK(runs > 1000);
}

TEST_CASE("all orders of short histories, on an engine whose list tells all") {
    std::size_t runs = 0;
    for (const auto& script : scripts) {
        runs += run_all_orders({}, script, {.list_is_complete = true});
        runs += run_all_orders(deeds({Kind::start}), script, {.list_is_complete = true});
    }
    CHECK(runs > 1000);
}

TEST_CASE("all orders of a start and an end whose events are told twice") {
    CHECK(run_all_orders({}, deeds({Kind::start, Kind::die}), {.events_are_doubled = true}) > 1000);
}

TEST_CASE("all orders of a start and an end around the loss of the stream") {
    for (const std::size_t replayed : {std::size_t{0}, std::size_t{1}, everything}) {
        CHECK(run_all_orders({}, deeds({Kind::start}), {.can_be_cut = true, .replayed = replayed}) > 50);
        CHECK(run_all_orders(deeds({Kind::start}), deeds({Kind::die}),
                             {.can_be_cut = true, .replayed = replayed}) > 50);
    }
}

TEST_CASE("all orders of an end that the kernel tells too") {
    for (const bool code : {false, true}) {
        const Traits inspected{.kernel_tells = true, .kernel_tells_code = code};
        const Traits listed{.list_is_complete = true, .kernel_tells = true, .kernel_tells_code = code};
        for (const Traits& traits : {inspected, listed}) {
            CHECK(run_all_orders(deeds({Kind::start}), deeds({Kind::die}), traits) >= 10);
            CHECK(run_all_orders({}, deeds({Kind::start, Kind::die}), traits) > 10);
            CHECK(run_all_orders(deeds({Kind::start}), deeds({Kind::die, Kind::start}), traits) > 50);
        }
    }
}

TEST_CASE("random long histories in which the kernel tells of ends too") {
    constexpr std::size_t runs = 4000;
    const unsigned seed = std::random_device{}();
    for (const bool code : {false, true}) {
        run_random_orders(runs, {.kernel_tells = true, .kernel_tells_code = code}, seed);
        run_random_orders(runs, {.list_is_complete = true, .kernel_tells = true, .kernel_tells_code = code},
                          seed);
        run_random_orders(
            runs, {.exit_events_tell_code = false, .kernel_tells = true, .kernel_tells_code = code}, seed);
        run_random_orders(runs, {.auto_remove = true, .kernel_tells = true, .kernel_tells_code = code}, seed);
        run_random_orders(runs, {.events_are_doubled = true, .kernel_tells = true, .kernel_tells_code = code},
                          seed);
        for (const std::size_t replayed : {std::size_t{0}, std::size_t{1}, everything}) {
            run_random_orders(
                runs,
                {.can_be_cut = true, .replayed = replayed, .kernel_tells = true, .kernel_tells_code = code},
                seed);
            run_random_orders(runs,
                              {.list_is_complete = true,
                               .can_be_cut = true,
                               .replayed = replayed,
                               .kernel_tells = true,
                               .kernel_tells_code = code},
                              seed);
        }
    }
}

TEST_CASE("random long histories on an engine that learns of ends late") {
    constexpr std::size_t runs = 4000;
    const unsigned seed = std::random_device{}();
    const auto [late, code] = GENERATE(table<bool, bool>({{false, false}, {false, true}, {true, true}}));
    Traits traits{
        .kernel_tells = true, .kernel_tells_code = code, .engine_lags = true, .exits_told_late = late};
    run_random_orders(runs, traits, seed);
    traits.auto_remove = !late;
    run_random_orders(runs, traits, seed);
    traits.auto_remove = false;
    traits.can_be_cut = !late;
    for (const std::size_t replayed : {std::size_t{0}, std::size_t{1}, everything}) {
        traits.replayed = replayed;
        traits.engine_forgets = !late && replayed == 0;
        traits.list_is_complete = false;
        run_random_orders(runs, traits, seed);
        traits.list_is_complete = true;
        run_random_orders(runs, traits, seed);
    }
}

TEST_CASE("random long histories on an engine that tells of ends again that it has forgotten") {
    constexpr std::size_t runs = 4000;
    const unsigned seed = std::random_device{}();
    Traits traits{.can_be_cut = true,
                  .kernel_tells = true,
                  .engine_lags = true,
                  .engine_forgets = true,
                  .ends_told_again = true,
                  .events_have_pids = true};
    for (const bool code : {false, true}) {
        traits.kernel_tells_code = code;
        traits.list_is_complete = false;
        run_random_orders(runs, traits, seed);
        traits.list_is_complete = true;
        run_random_orders(runs, traits, seed);
    }
}

TEST_CASE("random long histories in random orders") {
    constexpr std::size_t runs = 4000;
    const unsigned seed = std::random_device{}();
    run_random_orders(runs, {}, seed);
    run_random_orders(runs, {.list_is_complete = true}, seed);
    run_random_orders(runs, {.exit_events_tell_code = false}, seed);
    run_random_orders(runs, {.auto_remove = true}, seed);
    run_random_orders(runs, {.events_are_doubled = true}, seed);
}

TEST_CASE("random long histories around the loss of the stream") {
    constexpr std::size_t runs = 4000;
    const unsigned seed = std::random_device{}();
    for (const std::size_t replayed : {std::size_t{0}, std::size_t{1}, std::size_t{3}, everything}) {
        run_random_orders(runs, {.can_be_cut = true, .replayed = replayed}, seed);
        run_random_orders(runs, {.list_is_complete = true, .can_be_cut = true, .replayed = replayed}, seed);
        run_random_orders(runs, {.auto_remove = true, .can_be_cut = true, .replayed = replayed}, seed);
    }
}
