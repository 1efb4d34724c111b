#include "dbus/ctl/oci/users.h"

#include <array>
#include <cerrno>
#include <charconv>
#include <cstddef>
#include <limits>
#include <system_error>

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "dbus/ctl/exit_code.h"
#include "engines/support/text.h"
#include "engines/support/unique_fd.h"

namespace shorewatch::ctl {

namespace {

// Those of large sites have some 100 KiB.
constexpr std::size_t longest_file = std::size_t{4} << 20U;

CommandError cannot_read(const std::string& root, const char* path, int error) {
    return {ExitCode::refused,
            fmt::format("cannot read {} in '{}': {}; say who by numbers, as --user 1000:1000", path,
                        printable(root), std::generic_category().message(error))};
}

// A regular file, links resolved as if root was the root; no file where there is none.
UniqueFd open_inside(const std::string& root, const char* path) {
    const UniqueFd folder(::open(root.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (!folder) throw cannot_read(root, path, errno);
    open_how how{};
    how.flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;
    how.resolve = RESOLVE_IN_ROOT;
    UniqueFd file(static_cast<int>(::syscall(SYS_openat2, folder.get(), path, &how, sizeof how)));
    if (!file && errno != ENOENT && errno != ENOTDIR) throw cannot_read(root, path, errno);
    struct stat status{};
    if (file && (::fstat(file.get(), &status) != 0 || !S_ISREG(status.st_mode)))
        throw cannot_read(root, path, EINVAL);
    return file;
}

// Nothing when there is no such file.
std::string content(const std::optional<std::string>& root, const char* path) {
    std::string text;
    if (!root) return text;
    const UniqueFd file = open_inside(*root, path);
    std::array<char, 16384> piece;
    while (file) {
        const ssize_t count = ::read(file.get(), piece.data(), piece.size());
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) throw cannot_read(*root, path, errno);
        if (count == 0) break;
        text.append(piece.data(), static_cast<std::size_t>(count));
        if (text.size() > longest_file) throw cannot_read(*root, path, EFBIG);
    }
    return text;
}

std::optional<std::uint32_t> number(std::string_view text) {
    std::uint32_t value = 0;
    const char* const end = text.data() + text.size();
    const auto [stopped, error] = std::from_chars(text.data(), end, value);
    // The highest one means "none" to the kernel.
    const bool good =
        error == std::errc{} && stopped == end && value != std::numeric_limits<std::uint32_t>::max();
    return good ? std::optional(value) : std::nullopt;
}

// The next part of text up to a separator, which is taken off with it.
std::string_view next_part(std::string_view& text, char separator) {
    const std::size_t at = text.find(separator);
    const std::string_view part = text.substr(0, at);
    text.remove_prefix(at == std::string_view::npos ? text.size() : at + 1);
    return part;
}

// A line of passwd or group: name, password, number, and what is further on.
struct Entry {
    std::string_view name;
    std::optional<std::uint32_t> id;
    std::string_view rest;
};

template <typename Visit>
void for_each_entry(std::string_view text, const Visit& visit) {
    while (!text.empty()) {
        std::string_view line = next_part(text, '\n');
        Entry entry;
        entry.name = next_part(line, ':');
        next_part(line, ':');
        entry.id = number(next_part(line, ':'));
        entry.rest = line;
        if (entry.id && !entry.name.empty()) visit(entry);
    }
}

// The first that goes by this name, or by this number.
std::optional<Entry> find_entry(std::string_view file, std::string_view who) {
    const auto id = number(who);
    std::optional<Entry> found;
    for_each_entry(file, [&](const Entry& entry) {
        if (!found && (id ? entry.id == id : entry.name == who)) found = entry;
    });
    return found;
}

bool is_member(std::string_view members, std::string_view name) {
    while (!members.empty()) {
        if (next_part(members, ',') == name) return true;
    }
    return false;
}

CommandError unknown(const char* kind, std::string_view name, const char* path,
                     const std::optional<std::string>& root) {
    const std::string start = fmt::format("cannot tell who {} '{}' is: ", kind, printable(name));
    if (!root)
        return {ExitCode::refused,
                start + "the files of an image can't be read here; say it by numbers, as --user 1000:1000"};
    return {ExitCode::refused,
            fmt::format("{}it is not in {} of '{}'; say it by numbers, as --user 1000:1000", start, path,
                        printable(*root))};
}

std::uint32_t group_of(std::string_view name, std::string_view groups,
                       const std::optional<std::string>& root) {
    if (const auto gid = number(name)) return *gid;
    const auto entry = find_entry(groups, name);
    if (!entry) throw unknown("group", name, "etc/group", root);
    return *entry->id;
}

}  // namespace

User user_of(const std::string& text, const std::optional<std::string>& root) {
    std::string_view group = text;
    const std::string_view name = next_part(group, ':');
    const std::string passwd = content(root, "etc/passwd");
    const std::string groups = content(root, "etc/group");
    const std::string_view wanted = name.empty() ? std::string_view("0") : name;
    const auto entry = find_entry(passwd, wanted);
    const auto uid = entry ? entry->id : wanted == "root" ? std::optional(0U) : number(wanted);
    if (!uid) throw unknown("user", name, "etc/passwd", root);
    User user;
    user.uid = *uid;
    if (!group.empty()) {
        user.gid = group_of(group, groups, root);
        return user;
    }
    if (!entry) return user;
    std::string_view rest = entry->rest;
    user.gid = number(next_part(rest, ':')).value_or(0);
    for_each_entry(groups, [&](const Entry& each) {
        if (*each.id != user.gid && is_member(each.rest, entry->name)) user.groups.push_back(*each.id);
    });
    return user;
}

}  // namespace shorewatch::ctl
