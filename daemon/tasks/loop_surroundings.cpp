#include "daemon/tasks/loop_surroundings.h"

#include <cerrno>
#include <fstream>
#include <system_error>
#include <utility>
#include <vector>

#include <sys/random.h>

namespace shorewatch {

LoopSurroundings::LoopSurroundings(EventLoop& loop, std::filesystem::path state_file)
    : loop_(loop), timer_(loop, [this] { what_(); }), file_(std::move(state_file)) {}

void LoopSurroundings::wake_at(Clock::time_point when, std::function<void()> what) {
    what_ = std::move(what);
    timer_.arm_at(when);
}

std::string LoopSurroundings::random_hex(std::size_t digits) {
    constexpr const char* alphabet = "0123456789abcdef";
    std::vector<unsigned char> bytes(digits);
    if (::getrandom(bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size()))
        throw std::system_error(errno, std::generic_category(), "get random bytes");
    std::string text;
    for (const unsigned char byte : bytes)
        text += alphabet[byte % 16];
    return text;
}

std::string LoopSurroundings::boot_id() const {
    std::ifstream file("/proc/sys/kernel/random/boot_id");
    std::string id;
    std::getline(file, id);
    return id;
}

void LoopSurroundings::save(std::string state, Saved saved) {
    // The callback is held here, on the loop's thread, until it comes back there.
    auto call = std::make_shared<Saved>(std::move(saved));
    file_.write(std::move(state), [this, call](std::optional<std::string> error) {
        loop_.post([call, error = std::move(error)] { (*call)(error); });
    });
}

}  // namespace shorewatch
