// The logger: structured fields to the journal where stderr is the journal, plain lines on stderr otherwise.
//
// The only global of the project. Any thread may write; a message is one line, whatever it contains.
#pragma once

#include <initializer_list>
#include <string_view>

namespace shorewatch::log {

// The numbers are syslog's, which the journal and systemd's stderr prefix use.
enum class Level : int { error = 3, warning = 4, notice = 5, info = 6, debug = 7 };

// A journal field, e.g. {"SHOREWATCH_ENGINE", "docker"}. Names are upper case, as the journal demands.
struct Field {
    std::string_view name;
    std::string_view value;
};
using Fields = std::initializer_list<Field>;

// Messages less important than this are dropped. The default is info.
void set_level(Level least);
[[nodiscard]] bool enabled(Level level) noexcept;

void write(Level level, std::string_view message, Fields fields = {}) noexcept;

inline void error(std::string_view message, Fields fields = {}) noexcept {
    write(Level::error, message, fields);
}
inline void warning(std::string_view message, Fields fields = {}) noexcept {
    write(Level::warning, message, fields);
}
inline void notice(std::string_view message, Fields fields = {}) noexcept {
    write(Level::notice, message, fields);
}
inline void info(std::string_view message, Fields fields = {}) noexcept {
    write(Level::info, message, fields);
}
inline void debug(std::string_view message, Fields fields = {}) noexcept {
    write(Level::debug, message, fields);
}

}  // namespace shorewatch::log
