#include "dbus/ctl/runtime/runtime_views.h"

#include <array>
#include <limits>

#include <fmt/format.h>

#include "dbus/ctl/table.h"
#include "dbus/ctl/time_format.h"

namespace shorewatch::ctl {

namespace {

// What of the memory counts as a limit: without one, version 1 says about 2^63, and version 2 2^64-1.
constexpr std::uint64_t no_limit = std::uint64_t{1} << 62U;

constexpr const char* nothing = "-";

using BlockRow1 = sdbus::Struct<std::uint64_t, std::uint64_t, std::string, std::uint64_t>;
using BlockRow2 = sdbus::Struct<std::uint64_t, std::uint64_t, std::uint64_t>;

std::optional<std::uint64_t> number(const Properties& metrics, const char* key) {
    return find<std::uint64_t>(metrics, key);
}

std::optional<std::uint64_t> limit(const Properties& metrics, const char* key) {
    const auto value = number(metrics, key);
    return value && *value < no_limit ? value : std::nullopt;
}

// Memory in use, but for files in it that nobody uses: those are dropped before the limit is felt.
std::optional<std::uint64_t> used_memory(const Properties& metrics, const char* all, const char* inactive) {
    const auto value = number(metrics, all);
    if (!value) return std::nullopt;
    const std::uint64_t droppable = number(metrics, inactive).value_or(0);
    return *value > droppable ? *value - droppable : 0;
}

// Version 1: of all devices, the rows of one operation.
std::optional<std::uint64_t> block_bytes(const Properties& metrics, const std::string& operation) {
    const auto rows = find<std::vector<BlockRow1>>(metrics, "blkio.throttle.io_service_bytes");
    if (!rows) return std::nullopt;
    std::uint64_t sum = 0;
    for (const BlockRow1& row : *rows) {
        if (row.get<2>() == operation) sum += row.get<3>();
    }
    return sum;
}

// Version 2.
std::optional<std::uint64_t> block_bytes(const Properties& metrics, const char* key) {
    const auto rows = find<std::vector<BlockRow2>>(metrics, key);
    if (!rows) return std::nullopt;
    std::uint64_t sum = 0;
    for (const BlockRow2& row : *rows)
        sum += row.get<2>();
    return sum;
}

std::string status_text(const RuntimeContainer& container, std::uint64_t now) {
    if (container.alive()) return container.status;
    if (!container.exit_code) return container.status.empty() ? "not started" : container.status;
    std::string text = fmt::format("exited ({})", *container.exit_code);
    if (container.exited_at != 0) text += " " + age(container.exited_at, now) + " ago";
    return text;
}

Tone tone_of(const RuntimeContainer& container) {
    if (container.alive()) return container.status == "running" ? Tone::good : Tone::warning;
    return container.exit_code.value_or(0) == 0 ? Tone::faint : Tone::bad;
}

std::string bytes_or_nothing(const std::optional<std::uint64_t>& bytes) {
    return bytes ? byte_text(*bytes) : nothing;
}

std::string percent_or_nothing(const std::optional<double>& percent) {
    return percent ? fmt::format("{:.1f}", *percent) : nothing;
}

std::string count_text(const Usage& usage) {
    if (!usage.processes) return nothing;
    if (!usage.process_limit) return std::to_string(*usage.processes);
    return fmt::format("{}/{}", *usage.processes, *usage.process_limit);
}

std::optional<double> memory_percent(const Usage& usage) {
    if (!usage.memory || !usage.memory_limit || *usage.memory_limit == 0) return std::nullopt;
    return 100.0 * static_cast<double>(*usage.memory) / static_cast<double>(*usage.memory_limit);
}

}  // namespace

std::string runtime_table(const std::vector<RuntimeContainer>& containers, std::uint64_t now,
                          const Style& style) {
    Table table({{"ID", true}, {"IMAGE", true}, {"STATUS", true}, {"PID", false, true}, {"CREATED"}});
    for (const RuntimeContainer& container : containers) {
        table.add_row({{container.id},
                       {container.image.empty() ? nothing : container.image},
                       {status_text(container, now), tone_of(container)},
                       {container.pid == 0 ? nothing : std::to_string(container.pid)},
                       {container.created_at == 0 ? nothing : age(container.created_at, now) + " ago"}});
    }
    return table.render(style);
}

Usage usage_of(const StatsReading& reading) {
    const Properties& metrics = reading.metrics;
    Usage usage;
    usage.read_at = reading.read_at;
    usage.processes = number(metrics, "pids.current");
    usage.process_limit = limit(metrics, "pids.max");
    // No limit is 0 in containerd's messages.
    if (usage.process_limit == 0U) usage.process_limit.reset();
    if (find<std::uint32_t>(metrics, "CgroupVersion") == 2U) {
        if (const auto time = number(metrics, "cpu.stat.usage_usec")) usage.cpu_time = *time * 1000;
        usage.memory = used_memory(metrics, "memory.current", "memory.stat.inactive_file");
        usage.memory_limit = limit(metrics, "memory.max");
        usage.bytes_read = block_bytes(metrics, "io.stat.rbytes");
        usage.bytes_written = block_bytes(metrics, "io.stat.wbytes");
    } else {
        usage.cpu_time = number(metrics, "cpuacct.usage");
        usage.memory = used_memory(metrics, "memory.usage_in_bytes", "memory.stat.total_inactive_file");
        usage.memory_limit = limit(metrics, "memory.limit_in_bytes");
        usage.bytes_read = block_bytes(metrics, std::string("Read"));
        usage.bytes_written = block_bytes(metrics, std::string("Write"));
    }
    return usage;
}

std::optional<double> cpu_percent(const Usage& before, const Usage& now) {
    if (!before.cpu_time || !now.cpu_time || now.read_at <= before.read_at ||
        *now.cpu_time < *before.cpu_time)
        return std::nullopt;
    const auto used = static_cast<double>(*now.cpu_time - *before.cpu_time);         // ns
    const auto passed = static_cast<double>(now.read_at - before.read_at) * 1000.0;  // ns
    return 100.0 * used / passed;
}

std::string usage_table(const std::vector<UsageRow>& rows, const Style& style) {
    Table table({{"ID", true},
                 {"CPU %", false, true},
                 {"MEMORY", false, true},
                 {"LIMIT", false, true},
                 {"MEM %", false, true},
                 {"READ", false, true},
                 {"WRITTEN", false, true},
                 {"PROCESSES", false, true}});
    for (const UsageRow& row : rows) {
        const auto memory = memory_percent(row.usage);
        table.add_row({{row.id},
                       {percent_or_nothing(row.cpu)},
                       {bytes_or_nothing(row.usage.memory)},
                       {bytes_or_nothing(row.usage.memory_limit)},
                       {percent_or_nothing(memory), memory.value_or(0) >= 90 ? Tone::bad : Tone::plain},
                       {bytes_or_nothing(row.usage.bytes_read)},
                       {bytes_or_nothing(row.usage.bytes_written)},
                       {count_text(row.usage)}});
    }
    return table.render(style);
}

std::string byte_text(std::uint64_t bytes) {
    constexpr auto units = std::to_array<const char*>({"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"});
    if (bytes < 1024) return fmt::format("{} B", bytes);
    auto value = static_cast<double>(bytes);
    std::size_t unit = 0;
    // What would be shown as 1000 or more has four digits.
    while (value >= 999.5 && unit + 1 < units.size()) {
        value /= 1024;
        ++unit;
    }
    const int digits = value < 9.995 ? 2 : value < 99.95 ? 1 : 0;
    return fmt::format("{:.{}f} {}", value, digits, units[unit]);
}

}  // namespace shorewatch::ctl
