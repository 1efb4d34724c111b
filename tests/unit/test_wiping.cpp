// Memory that is written over before it is freed. That nothing is left of credentials, a real daemon shows:
// tests/engines/test_tasks.py.
#include <cstring>
#include <string>
#include <string_view>

#include "engines/support/wiping.h"
#include "tests/unit/catch.h"

using namespace shorewatch;

namespace {

std::string_view text_at(const void* memory) {
    return static_cast<const char*>(memory);
}

}  // namespace

TEST_CASE("memory that grows and shrinks keeps what is in it") {
    void* memory = wiping_realloc(nullptr, 8);
    REQUIRE(memory != nullptr);
    std::memcpy(memory, "content", 8);
    for (const std::size_t size : {9U, 100U, 100'000U, 60'000U, 64U, 8U}) {
        memory = wiping_realloc(memory, size);
        REQUIRE(memory != nullptr);
        CHECK(text_at(memory) == "content");
    }
    wiping_free(memory);
}

TEST_CASE("nothing is taken for memory, and given for it, as realloc() does it") {
    wiping_free(nullptr);
    CHECK(wiping_realloc(wiping_realloc(nullptr, 16), 0) == nullptr);
}
