// The file with the state of tasks: written in whole or not at all, by a thread of its own: a disk may take
// its time.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <filesystem>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

namespace shorewatch {

// The most that is read of it, in bytes.
inline constexpr std::size_t largest_state = std::size_t{64} * 1024 * 1024;

// Gives it another name, FILE.damaged-TIME, and answers that. Throws as write_whole_file() does.
std::filesystem::path keep_aside(const std::filesystem::path& file);

class StateFile {
  public:
    // Called on the file's thread.
    using Written = std::function<void(std::optional<std::string> error)>;

    explicit StateFile(std::filesystem::path file) : file_(std::move(file)) {}
    StateFile(const StateFile&) = delete;
    StateFile& operator=(const StateFile&) = delete;
    // Waits until what was asked for is written.
    ~StateFile();

    // What waits to be written is replaced, and its `written` is not called.
    void write(std::string text, Written written);

  private:
    struct Job {
        std::string text;
        Written written;
    };
    void run() noexcept;

    std::filesystem::path file_;
    std::mutex mutex_;
    std::condition_variable wanted_;
    std::optional<Job> job_;  // guarded by mutex_
    bool ending_ = false;     // guarded by mutex_
    std::thread thread_;      // there from the first write on
};

}  // namespace shorewatch
