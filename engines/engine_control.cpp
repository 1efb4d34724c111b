#include "engines/engine_control.h"

#include "engines/error_text.h"
#include "engines/support/text.h"

namespace shorewatch {

namespace {

constexpr int last_signal = 64;
constexpr std::size_t digits_of_hash = 64;
constexpr std::size_t digits_shown = 12;

}  // namespace

std::optional<std::string> why_no_signal(int signal) {
    if (signal >= 1 && signal <= last_signal) return std::nullopt;
    return std::to_string(signal) + " is no signal; they are 1 to " + std::to_string(last_signal);
}

std::optional<std::string> why_no_timeout(std::chrono::seconds timeout) {
    constexpr auto longest = EngineControl::longest_timeout;
    if (timeout.count() >= 0 && timeout <= longest) return std::nullopt;
    return std::to_string(timeout.count()) + " s is no time to wait; 0 to " +
           std::to_string(longest.count()) + " are";
}

Result<std::string> answerable(std::string_view json, std::string_view purpose, const Endpoint& endpoint) {
    constexpr std::size_t longest = EngineControl::longest_inspection;
    std::string text = valid_utf8(json, longest + 1);
    if (json.size() <= longest && text.size() <= longest) return text;
    return make_error(EngineError::Kind::protocol, purpose, endpoint,
                      "the answer is larger than " + std::to_string(longest / 1024 / 1024) + " MiB");
}

std::string doing(std::string_view what, const std::string& id) {
    const bool is_hash = id.size() == digits_of_hash;
    return std::string(what) + " container " + (is_hash ? id.substr(0, digits_shown) : id);
}

}  // namespace shorewatch
