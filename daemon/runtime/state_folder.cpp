#include "daemon/runtime/state_folder.h"

#include <cerrno>
#include <fstream>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engines/support/log.h"
#include "engines/support/text.h"
#include "engines/support/unique_fd.h"
#include "engines/support/whole_file.h"

namespace shorewatch {

namespace {

namespace fs = std::filesystem;

constexpr const char* record_name = "namespace";
constexpr const char* mark_name = "running";

[[noreturn]] void fail(const char* what, const fs::path& path) {
    throw std::system_error(errno, std::generic_category(), std::string(what) + " " + path.string());
}

// A folder of the runtime's own, that nobody else may look into.
void make_private_folder(const fs::path& path) {
    std::error_code error;
    fs::create_directories(path.parent_path(), error);
    if (error) throw std::system_error(error, "cannot make " + path.parent_path().string());
    if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) fail("cannot make", path);
}

std::string first_line(const fs::path& path) {
    std::ifstream file(path);
    std::string line;
    std::getline(file, line);
    return line;
}

}  // namespace

std::vector<StateFolder::Kept> StateFolder::read() const {
    std::vector<Kept> kept;
    std::error_code error;
    for (const fs::directory_entry& entry : fs::directory_iterator(folder_, error)) {
        Kept one{entry.path().filename(), first_line(entry.path() / record_name), false};
        if (!is_containerd_name(one.id)) continue;
        if (!is_containerd_name(one.name_space)) {
            // Its creation did not come that far.
            remove(one.id);
            continue;
        }
        one.marked = fs::exists(entry.path() / mark_name, error);
        kept.push_back(std::move(one));
    }
    return kept;
}

void StateFolder::add(const std::string& id, const std::string& name_space) const {
    const fs::path folder = of(id);
    make_private_folder(folder_);
    make_private_folder(folder);
    write_whole_file(folder / record_name, name_space + "\n");
    sync_folder(folder_);
}

void StateFolder::remove(const std::string& id) const noexcept {
    std::error_code error;
    fs::remove_all(of(id), error);
    if (error) log::warning("cannot remove " + of(id).string() + ": " + error.message());
}

// What is marked does not survive the machine, so it need not be on the disk.
void StateFolder::mark(const std::string& id) const {
    const fs::path path = of(id) / mark_name;
    const UniqueFd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (!fd) fail("cannot make", path);
}

void StateFolder::unmark(const std::string& id) const noexcept {
    ::unlink((of(id) / mark_name).c_str());
}

}  // namespace shorewatch
