// Catch2, whichever is installed: 2 on Debian 12, 3 on Debian 13.
#pragma once

#include <string>

#if __has_include(<catch2/catch_all.hpp>)
#include <catch2/catch_all.hpp>

// By its name in Catch2 2.
using Catch::Approx;
#else
#include <catch2/catch.hpp>

namespace Catch::Matchers {

// By its name in Catch2 3.
inline auto ContainsSubstring(const std::string& text,
                              CaseSensitive::Choice case_sensitivity = CaseSensitive::Yes) {
    return Contains(text, case_sensitivity);
}

}  // namespace Catch::Matchers
#endif
