// What containers use of this machine, as their control groups have it (cgroups(7)): version 1, 2, and both
// at once.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "dbus/ctl/runtime/runtime_views.h"

namespace shorewatch::ctl {

// Whose control groups are read.
struct Measured {
    std::uint32_t pid = 0;
    std::string id;      // the container's
    std::string cgroup;  // as the daemon has it; empty: not known
};

class ControlGroups {
  public:
    ControlGroups() : ControlGroups("/proc", "/sys/fs/cgroup") {}
    ControlGroups(std::filesystem::path proc, std::filesystem::path mounts);

    // Processor time and memory alone. Absent is what can't be read, and what the container shares with the
    // rest of the machine. now: µs, of a clock that goes evenly.
    [[nodiscard]] Usage read(const Measured& of, std::uint64_t now) const;

  private:
    std::filesystem::path proc_;
    std::filesystem::path mounts_;
};

// One line of a usage table: what is known of a container by now.
struct TopUsage {
    std::optional<double> cpu;  // percent of one processor, between the last two readings
    std::optional<std::uint64_t> memory;
};

// Readings of containers, each beside the one before. What is not read any more is forgotten.
class UsageSamples {
  public:
    // by: the path of the container's object.
    void take(const ControlGroups& groups, const std::map<std::string, Measured>& by, std::uint64_t now);

    [[nodiscard]] const std::map<std::string, TopUsage>& usage() const noexcept { return usage_; }

  private:
    struct Sample {
        std::uint32_t pid = 0;
        Usage usage;
    };
    std::map<std::string, Sample> before_;
    std::map<std::string, TopUsage> usage_;
};

}  // namespace shorewatch::ctl
