// The pipes of one process: FIFOs in the container's folder, which the engine opens by name, the caller's
// ends of them, and what we hold of them ourselves without ever reading or writing.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "daemon/runtime/runtime.h"
#include "engines/engine_runtime.h"
#include "engines/support/event_loop.h"
#include "engines/support/unique_fd.h"

namespace shorewatch {

class ProcessPipes {
  public:
    struct Wanted {
        bool in = true;
        bool out = true;
        bool error = true;
    };

    // Makes them anew: FIFOs of that name that are left from before are removed. Throws std::system_error.
    // drained is called from the loop, once, when nobody writes any output any more.
    ProcessPipes(EventLoop& loop, std::filesystem::path folder, const std::string& process,
                 const Wanted& wanted, std::function<void()> drained);
    // Opens those that there are, of a process that was started before.
    static std::unique_ptr<ProcessPipes> find(EventLoop& loop, std::filesystem::path folder,
                                              const std::string& process, std::function<void()> drained);
    ProcessPipes(const ProcessPipes&) = delete;
    ProcessPipes& operator=(const ProcessPipes&) = delete;
    // Leaves the names.
    ~ProcessPipes() = default;

    // For the engine.
    [[nodiscard]] ProcessStreams streams(bool terminal) const;
    // The ends for the caller, in blocking mode, that were opened when the pipes were made: what a process
    // has written before it ended is not lost.
    [[nodiscard]] ClientEnds take_ends() noexcept { return std::move(ends_); }
    // New ends of the same pipes. Throws std::system_error.
    [[nodiscard]] ClientEnds open_ends() const;

    [[nodiscard]] bool has_stdin() const noexcept { return !in_.path.empty(); }
    // Is there no output to come?
    [[nodiscard]] bool is_drained() const noexcept { return outputs_.empty(); }

    // The process has ended, or was not started: whoever writes its input is told so by the kernel.
    void close_stdin() noexcept { in_.reader.reset(); }
    // Once all have opened what they need.
    void remove_names() noexcept;

  private:
    ProcessPipes(EventLoop& loop, std::function<void()> drained)
        : loop_(loop), drained_(std::move(drained)) {}

    // Open for reading, so that whoever opens it for writing does not wait.
    struct Input {
        std::filesystem::path path;  // empty: none
        UniqueFd reader;
    };
    // Held to be told when its last writer has gone.
    struct Output {
        std::filesystem::path path;
        UniqueFd reader;
        EventSource source;
    };

    void open(const std::filesystem::path& in, const std::filesystem::path& out,
              const std::filesystem::path& error);
    void watch(const std::filesystem::path& path);
    void take_end(int fd);

    EventLoop& loop_;
    std::function<void()> drained_;
    Input in_;
    std::filesystem::path out_;    // empty: none
    std::filesystem::path error_;  // the same
    ClientEnds ends_;
    std::vector<std::unique_ptr<Output>> outputs_;
};

// All FIFOs in a folder are removed: of processes that have ended.
void remove_pipes(const std::filesystem::path& folder) noexcept;

}  // namespace shorewatch
