// Which published container an initial process, a cgroup, a pid namespace or a systemd unit belongs to.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "daemon/processes/init_process.h"

namespace shorewatch {

class ProcessIndex {
  public:
    struct Entry {
        std::string engine;
        std::string id;

        bool operator==(const Entry&) const = default;
    };

    void add(const Entry& entry, const InitProcess& process);
    void remove(const Entry& entry, const InitProcess& process);

    // Whose initial process has this number; it may have ended since.
    [[nodiscard]] std::vector<Entry> by_pid(std::uint32_t pid) const;
    // Those whose cgroup is the innermost that holds one of these; more than one share it. Empty: none.
    [[nodiscard]] std::vector<Entry> by_cgroups(const std::vector<Cgroup>& cgroups) const;
    // The same of a path in whichever hierarchy.
    [[nodiscard]] std::vector<Entry> by_cgroup_path(std::string_view path) const;
    [[nodiscard]] std::vector<Entry> by_pid_namespace(std::uint64_t inode) const;
    [[nodiscard]] std::vector<Entry> by_unit(std::string_view unit) const;

  private:
    struct TextHash {
        using is_transparent = void;  // NOLINT(readability-identifier-naming): what the map looks for
        std::size_t operator()(std::string_view text) const noexcept {
            return std::hash<std::string_view>{}(text);
        }
    };
    using ByText = std::unordered_map<std::string, std::vector<Entry>, TextHash, std::equal_to<>>;

    // Keeps in best, and in longest the length of its path, what is innermost in this hierarchy.
    static void look_up(const ByText& paths, std::string_view path, const std::vector<Entry>*& best,
                        std::size_t& longest);

    std::map<std::string, ByText, std::less<>> by_cgroup_;  // by hierarchy, then by path
    ByText by_unit_;
    std::unordered_map<std::uint64_t, std::vector<Entry>> by_namespace_;
    std::unordered_map<std::uint32_t, std::vector<Entry>> by_pid_;
};

}  // namespace shorewatch
