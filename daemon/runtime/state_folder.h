// What the runtime of one engine keeps on disk: a folder for each container, with the namespace that it is
// in, a mark as long as its process may run, and the pipes of its processes. All else the engine keeps
// itself.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace shorewatch {

class StateFolder {
  public:
    struct Kept {
        std::string id;
        std::string name_space;
        bool marked = false;
    };

    explicit StateFolder(std::filesystem::path folder) : folder_(std::move(folder)) {}

    // What is there from before; what makes no sense is removed, if it is empty or ours.
    [[nodiscard]] std::vector<Kept> read() const;

    // Written so that it is there in whole after a crash of the machine, or not at all. Throws
    // std::system_error.
    void add(const std::string& id, const std::string& name_space) const;
    void remove(const std::string& id) const noexcept;

    // The container runs: its end is to be told, by whichever daemon sees it. Throws std::system_error.
    void mark(const std::string& id) const;
    // Its end was told.
    void unmark(const std::string& id) const noexcept;

    [[nodiscard]] std::filesystem::path of(const std::string& id) const { return folder_ / id; }

  private:
    std::filesystem::path folder_;
};

}  // namespace shorewatch
