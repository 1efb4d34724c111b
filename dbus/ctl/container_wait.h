// What `wait` waits for, as a state machine: told what `watch --since-sync` shows, it says when to end.
//
// An engine that has not been listed since the daemon came says nothing about what it has not: a container is
// gone only where its engine is watched.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "dbus/ctl/properties.h"
#include "dbus/ctl/watch_event.h"

namespace shorewatch::ctl {

enum class WaitFor { started, exited, paused, unpaused };

class Wait {
  public:
    Wait() = default;
    virtual ~Wait() = default;
    Wait(const Wait&) = delete;
    Wait& operator=(const Wait&) = delete;

    // What the command ends with, once that is decided. Events that the filters don't let pass are not to
    // come here. Throws CommandError where there is nothing to wait for.
    [[nodiscard]] virtual std::optional<int> take(const WatchEvent& event) = 0;

    // Would it help to know the engines?
    [[nodiscard]] virtual bool asks_for_engines() const = 0;
    // All of them, after everything that was told before they were.
    [[nodiscard]] virtual std::optional<int> take(const std::vector<EngineInfo>& engines) = 0;
};

class ContainerWait final : public Wait {
  public:
    // name: also an id, or the first 4 or more characters of one. engine: the only one to look at.
    ContainerWait(WaitFor what, std::string name, std::optional<std::string> engine);

    [[nodiscard]] std::optional<int> take(const WatchEvent& event) override;
    [[nodiscard]] bool asks_for_engines() const override;
    [[nodiscard]] std::optional<int> take(const std::vector<EngineInfo>& engines) override;

  private:
    // A run of a container, told from the next one.
    struct Run {
        std::string path;
        std::string engine;
        std::string shown;  // for errors
        std::uint32_t pid = 0;
        std::uint64_t started_at = 0;
    };

    static Run run_of(const WatchEvent& event);
    static bool is_same(const Run& one, const Run& other);

    [[nodiscard]] bool is_meant(const WatchEvent& event) const;
    std::optional<int> take_container(const WatchEvent& event);
    std::optional<int> choose();
    std::optional<int> adopt(const WatchEvent& event);
    std::optional<int> see_again(const WatchEvent& event);
    [[nodiscard]] std::optional<int> reached() const;
    std::optional<int> ended(const WatchEvent& event) const;
    [[noreturn]] void vanished() const;
    [[nodiscard]] std::string doing() const;

    WaitFor what_;
    std::string name_;
    std::optional<std::string> engine_;
    std::vector<WatchEvent> present_;  // those that are meant, until the list is complete
    bool listed_ = false;
    std::optional<Run> run_;  // what is waited for, once it is known
    bool alive_ = false;      // by the word of the daemon that is there now
    bool paused_ = false;
};

// Is there an engine, of those that count, that may still have what it has not told of? Throws CommandError
// when the one that counts is not there. doing: as for command_error().
[[nodiscard]] bool may_have_more(const std::vector<EngineInfo>& engines,
                                 const std::optional<std::string>& engine, const std::string& doing);

// "; engine docker is unavailable: why" for each that can't be looked at.
[[nodiscard]] std::string unreached(const std::vector<EngineInfo>& engines,
                                    const std::optional<std::string>& engine);

}  // namespace shorewatch::ctl
