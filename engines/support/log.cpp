#include "engines/support/log.h"

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include <sys/stat.h>
#include <sys/uio.h>
#include <systemd/sd-journal.h>
#include <unistd.h>

#include "engines/support/text.h"

namespace shorewatch::log {

namespace {

std::atomic<int> least_level{static_cast<int>(Level::info)};

// systemd sets JOURNAL_STREAM to "device:inode" of the stream it connected stdout or stderr to; it is
// inherited by children whose stderr is something else, hence the comparison (sd-daemon(3), systemd.exec(5)).
bool stderr_is_journal() {
    const char* stream = std::getenv("JOURNAL_STREAM");
    struct stat status{};
    if (stream == nullptr || fstat(STDERR_FILENO, &status) != 0) return false;
    return stream == std::to_string(status.st_dev) + ":" + std::to_string(status.st_ino);
}

bool send_to_journal(Level level, std::string_view message, Fields fields) {
    std::vector<std::string> lines;
    lines.reserve(fields.size() + 2);
    lines.push_back("PRIORITY=" + std::to_string(static_cast<int>(level)));
    lines.push_back("MESSAGE=" + printable(message));
    for (const Field& field : fields)
        lines.push_back(std::string(field.name) + "=" + std::string(field.value));
    std::vector<iovec> parts;
    parts.reserve(lines.size());
    for (std::string& line : lines)
        parts.push_back({line.data(), line.size()});
    return sd_journal_sendv(parts.data(), static_cast<int>(parts.size())) == 0;
}

void send_to_stderr(Level level, std::string_view message, Fields fields) {
    std::string line = level <= Level::error ? "error: " : level == Level::warning ? "warning: " : "";
    line += printable(message);
    const bool with_fields = enabled(Level::debug);
    for (const Field& field : fields) {
        if (!with_fields) break;
        line += " ";
        line += field.name;
        line += "=";
        line += printable(field.value);
    }
    line += "\n";
    // One write a line, so that lines of several threads don't mix.
    (void)std::fwrite(line.data(), 1, line.size(), stderr);
}

}  // namespace

void set_level(Level least) {
    least_level = static_cast<int>(least);
}

bool enabled(Level level) noexcept {
    return static_cast<int>(level) <= least_level.load(std::memory_order_relaxed);
}

void write(Level level, std::string_view message, Fields fields) noexcept {
    if (!enabled(level)) return;
    try {
        static const bool to_journal = stderr_is_journal();
        if (!to_journal || !send_to_journal(level, message, fields)) send_to_stderr(level, message, fields);
    } catch (const std::exception&) {
        // Out of memory while logging: the message is lost, the daemon is not.
    }
}

}  // namespace shorewatch::log
