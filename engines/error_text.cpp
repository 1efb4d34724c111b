#include "engines/error_text.h"

#include <cerrno>
#include <system_error>

#include <sys/stat.h>

#include "engines/support/text.h"

namespace shorewatch {

namespace {

// connect(2) answers "Connection refused" for a folder too, as container engines leave one behind that were
// told to mount a socket which did not exist yet.
std::string refused_at(const std::string& path) {
    struct stat status{};
    if (stat(path.c_str(), &status) != 0 || S_ISSOCK(status.st_mode)) {
        return "connection refused: there is a socket, but nothing listens on it; is the engine running?";
    }
    if (S_ISDIR(status.st_mode)) return "there is a folder, not a socket; remove it and restart the engine";
    return "there is a file, not a socket";
}

}  // namespace

std::string unix_socket_cause(const std::string& path, int error) {
    switch (error) {
        case ENOENT:
            return "there is no such socket; is the engine running?";
        case EACCES:
            return "permission denied; shorewatchd must be allowed to open it";
        case ECONNREFUSED:
            return refused_at(path);
        case EPROTOTYPE:
            return "there is a socket of another type, not a stream socket";
        case EAGAIN:
            return "its queue of connections is full; does the engine hang?";
        default:
            return std::generic_category().message(error);
    }
}

std::string excerpt(std::string_view text, std::size_t most) {
    if (text.size() <= most) return std::string(text);
    // Not within a character of UTF-8.
    while (most > 0 && (static_cast<unsigned char>(text[most]) & 0xC0U) == 0x80)
        --most;
    return std::string(text.substr(0, most)) + "…";
}

std::string in_seconds(std::chrono::milliseconds duration) {
    std::string text = std::to_string(duration.count() / 1000);
    if (const auto rest = duration.count() % 1000; rest != 0) {
        text += "." + std::to_string(1000 + rest).substr(1);
        text.erase(text.find_last_not_of('0') + 1);
    }
    return text + " s";
}

EngineError make_error(EngineError::Kind kind, std::string_view purpose, const Endpoint& endpoint,
                       std::string_view cause) {
    const std::string message =
        "cannot " + std::string(purpose) + " at " + endpoint.url() + ": " + std::string(cause);
    return {kind, printable(message)};
}

}  // namespace shorewatch
