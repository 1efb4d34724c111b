// Where something stands in the configuration, and errors that say so.
#pragma once

#include <string>
#include <string_view>

namespace shorewatch::config {

// Lines and columns (of characters) begin with 1.
struct Location {
    std::string file;
    unsigned line = 0;
    unsigned column = 0;

    // "FILE:LINE:COLUMN", printable.
    [[nodiscard]] std::string to_string() const;
};

// A value, and where the file says it.
template <typename T>
struct Located {
    T value;
    Location where;
};

// Throws ConfigurationError: "FILE:LINE:COLUMN: wrong; expected …".
[[noreturn]] void reject(const Location& where, std::string_view wrong, std::string_view expected);

// Text from the file for a message: in quotes, printable, and cut when it is long.
[[nodiscard]] std::string in_quotes(std::string_view text);

}  // namespace shorewatch::config
