#include "engines/support/root_walk.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <string_view>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <sys/stat.h>

namespace shorewatch {

namespace {

constexpr int most_links = 40;        // as the kernel has it
constexpr std::size_t deepest = 128;  // each folder on the way is a descriptor

bool fail(int error) {
    errno = error;
    return false;
}

class Walk {
  public:
    Walk(UniqueFd root, int flags) : flags_(flags) { way_.push_back(std::move(root)); }

    UniqueFd to(std::string_view path) {
        expect(path);
        while (!ahead_.empty())
            if (!step()) return {};
        return std::move(way_.back());
    }

  private:
    std::vector<UniqueFd> way_;       // from the root folder to where we are
    std::vector<std::string> ahead_;  // the next one last
    int flags_;
    int links_ = 0;

    void expect(std::string_view path) {
        std::vector<std::string> parts;
        while (!path.empty()) {
            const std::string_view part = path.substr(0, path.find('/'));
            path.remove_prefix(std::min(part.size() + 1, path.size()));
            if (!part.empty() && part != ".") parts.emplace_back(part);
        }
        ahead_.insert(ahead_.end(), parts.rbegin(), parts.rend());
    }

    // errno says why not.
    bool step() {
        const std::string name = std::move(ahead_.back());
        ahead_.pop_back();
        if (name == "..") {
            // Back where we came from, wherever that is now.
            if (way_.size() > 1) way_.pop_back();
            return true;
        }
        UniqueFd next(::openat(way_.back().get(), name.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
        struct stat status{};
        if (!next || ::fstat(next.get(), &status) != 0) return false;
        const bool is_last = ahead_.empty();
        if (S_ISLNK(status.st_mode) && !(is_last && (flags_ & O_NOFOLLOW) != 0)) return follow(next);
        if (!S_ISDIR(status.st_mode) && (!is_last || (flags_ & O_DIRECTORY) != 0)) return fail(ENOTDIR);
        if (way_.size() == deepest) return fail(ENAMETOOLONG);
        way_.push_back(std::move(next));
        return true;
    }

    bool follow(const UniqueFd& link) {
        std::array<char, PATH_MAX> text{};
        const ssize_t size = ::readlinkat(link.get(), "", text.data(), text.size());
        if (size < 0) return false;
        if (++links_ > most_links) return fail(ELOOP);
        const std::string_view target(text.data(), static_cast<std::size_t>(size));
        if (target.starts_with('/')) way_.resize(1);
        expect(target);
        return true;
    }
};

}  // namespace

UniqueFd open_below(UniqueFd root, const std::string& path, int flags) {
    return Walk(std::move(root), flags).to(path);
}

}  // namespace shorewatch
