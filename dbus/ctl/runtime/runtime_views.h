// What the commands for the Runtime show to people. Pure text from values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "dbus/ctl/runtime/runtime_client.h"
#include "dbus/ctl/terminal.h"

namespace shorewatch::ctl {

// ID, IMAGE, STATUS, PID, CREATED, in the order given. now: µs since 1970, for ages.
[[nodiscard]] std::string runtime_table(const std::vector<RuntimeContainer>& containers, std::uint64_t now,
                                        const Style& style);

// What the kernel has counted of a container, in the same words for both versions of control groups; absent
// is what it does not count, or has no limit.
struct Usage {
    std::uint64_t read_at = 0;              // µs since 1970
    std::optional<std::uint64_t> cpu_time;  // ns
    std::optional<std::uint64_t> memory;    // bytes, without files that could be dropped at once
    std::optional<std::uint64_t> memory_limit;
    std::optional<std::uint64_t> bytes_read;  // from disks
    std::optional<std::uint64_t> bytes_written;
    std::optional<std::uint64_t> processes;
    std::optional<std::uint64_t> process_limit;
};
[[nodiscard]] Usage usage_of(const StatsReading& reading);

// Processors' time used between two readings, in percent of one processor; nothing if it can't be told.
[[nodiscard]] std::optional<double> cpu_percent(const Usage& before, const Usage& now);

struct UsageRow {
    std::string id;
    Usage usage;
    std::optional<double> cpu;  // percent of one processor
};
// ID, CPU, MEMORY, LIMIT, %, READ, WRITTEN, PROCESSES, in the order given.
[[nodiscard]] std::string usage_table(const std::vector<UsageRow>& rows, const Style& style);

// "512 MiB", "1.4 GiB": three digits and a unit of 1024.
[[nodiscard]] std::string byte_text(std::uint64_t bytes);

}  // namespace shorewatch::ctl
