// What is true of JSON: a decoder gives something, or says in one line what is wrong; and what is written can
// be read.
#pragma once

#include "engines/http/json.h"
#include "tests/fuzz/expect.h"

namespace shorewatch::fuzz {

// Runs decode, and then check with what it gives, unless that is json::Malformed.
template <typename Decode, typename Check>
void decoded(const Decode& decode, const Check& check) {
    try {
        check(decode());
    } catch (const json::Malformed& malformed) {
        expect_line(malformed.what(), "what is wrong with JSON is one line");
    }
}

// What has been written is an object. It may be deeper by some than what was read for it.
inline void expect_object(std::string_view text) {
    expect_clean(text, "JSON is valid UTF-8");
    try {
        const json::Document document(std::string(text), {.depth = 256});
        expect(document.root().IsObject(), "what is written is an object");
    } catch (const json::Malformed&) {
        expect(false, "what is written is JSON");
    }
}

}  // namespace shorewatch::fuzz
