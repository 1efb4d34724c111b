// Limits of what a container may use, as people write them and as the OCI runtime specification does.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "dbus/ctl/oci/json_text.h"

namespace shorewatch::ctl {

// Absent: no limit for a new container, and for an update: as it was.
struct Resources {
    std::optional<std::int64_t> memory;              // bytes
    std::optional<std::int64_t> memory_reservation;  // bytes, below which memory is not taken away
    std::optional<std::int64_t> memory_and_swap;     // bytes, memory included; -1: without limit
    std::optional<std::int64_t> cpu_quota;           // µs of CPU time in each cpu_period; -1: without limit
    std::optional<std::uint64_t> cpu_shares;  // weight beside others, 2 to 262144; the kernel's is 1024
    std::optional<std::string> cpus;          // on which it may run, "0-2,7"
    std::optional<std::int64_t> pids;         // processes and threads; -1: without limit

    [[nodiscard]] bool empty() const;
};

inline constexpr std::uint64_t cpu_period = 100'000;  // µs: the kernel's own

// "512m" → 512 × 1024²; of whole numbers with b, k, m, g or t behind, in either case, or none; nothing for
// anything else, zero, or what does not fit.
[[nodiscard]] std::optional<std::int64_t> byte_count(std::string_view text);

// The quota of "1.5" processors; nothing for less than 0.01, more than 10000, or what is no such number.
[[nodiscard]] std::optional<std::int64_t> cpu_quota(std::string_view text);

// Is this a list of processors, as "0-2,7"?
[[nodiscard]] bool is_cpu_list(std::string_view text);

// Writes the members of linux.resources for what is set; no object around them.
void write_resources(JsonText& json, const Resources& resources);

// The whole object, as UpdateResources takes it.
[[nodiscard]] std::string resources_json(const Resources& resources);

}  // namespace shorewatch::ctl
