// In which cgroups a process is, and which of them is its container's own.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace shorewatch {

// A cgroup in one hierarchy.
struct Cgroup {
    std::string
        hierarchy;     // "" is that of cgroup v2; else v1's controllers, as "cpu,cpuacct" or "name=systemd"
    std::string path;  // from our cgroup namespace's root, as "/system.slice/docker-4f5e….scope"

    bool operator==(const Cgroup&) const = default;
};

// As /proc/PID/cgroup has them (cgroups(7)). Lines that make no sense are left out.
[[nodiscard]] std::vector<Cgroup> parse_cgroups(std::string_view text);

// Those of a process, one a hierarchy; none: there is no such process. Everybody may look.
[[nodiscard]] std::vector<Cgroup> cgroups_of(std::uint32_t pid);

// Is path that of the cgroup, or of one below it?
[[nodiscard]] bool is_within(std::string_view path, std::string_view cgroup);

// The cgroup that engines name after a container, of which its processes can't leave, though they may make
// others below it: the one with the id in its name ("/docker/ID", "libpod-ID.scope",
// "/kubepods/…/cri-containerd-ID.scope", containerd's "/NAMESPACE/ID"; facts of Docker 20.10 to 28, Podman 4
// and 5, containerd 1.6 to 2.0, CRI-O). id: as Container has it. None: no cgroup is named so.
[[nodiscard]] std::optional<Cgroup> named_after(const std::vector<Cgroup>& cgroups, std::string_view id);

// The cgroup of a process that was given one of its own under whatever name (--cgroup-parent, ctr --cgroup),
// shown by that its parent is in another. None: it shares its cgroups with its parent, or is in no cgroup but
// the root.
[[nodiscard]] std::optional<Cgroup> apart_from(const std::vector<Cgroup>& cgroups,
                                               const std::vector<Cgroup>& parent);

}  // namespace shorewatch
