// The Runtime of one engine, as the commands ask it: blocking calls with typed answers, and calls on a loop.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "dbus/ctl/bus_call.h"
#include "dbus/ctl/bus_client.h"
#include "dbus/ctl/properties.h"

namespace shorewatch::ctl {

inline constexpr const char* runtime_interface = "org.shorewatch1.Runtime";
inline constexpr const char* initial_process = "init";

// One element of the array that List returns.
using RuntimeRow = sdbus::Struct<std::string, Properties>;

// A container that the Runtime has made.
struct RuntimeContainer {
    std::string id;
    std::string engine;
    std::string name_space;
    std::string status;            // "running", …; empty: it has no task
    std::string image;             // empty: none
    std::uint32_t pid = 0;         // 0: not alive
    std::uint64_t created_at = 0;  // µs since 1970; 0: not known
    std::uint64_t exited_at = 0;   // of the last run
    bool terminal = false;
    std::optional<std::uint32_t> exit_code;  // of the last run
    std::vector<std::string> processes;      // of Exec, that are alive
    Properties properties;                   // all of them, most of these included

    [[nodiscard]] bool alive() const;
};
[[nodiscard]] RuntimeContainer runtime_container(std::string id, std::string engine, Properties properties);

// One reading of the kernel's counters of a container.
struct StatsReading {
    std::uint64_t read_at = 0;  // µs since 1970
    Properties metrics;
};

class RuntimeClient {
  public:
    // engine: its name; if none is given, the only one whose type is containerd's. client outlives it. Throws
    // CommandError.
    RuntimeClient(const BusClient& client, const std::optional<std::string>& engine);

    [[nodiscard]] sdbus::IConnection& connection() const { return client_.connection(); }
    [[nodiscard]] const BusChoice& bus() const noexcept { return client_.bus(); }
    [[nodiscard]] const std::string& engine() const noexcept { return engine_; }
    [[nodiscard]] const std::string& path() const noexcept { return path_; }

    // All of the engine's, sorted by id.
    [[nodiscard]] std::vector<RuntimeContainer> list() const;
    // One of these.
    [[nodiscard]] RuntimeContainer find(const std::string& id) const;
    // Its OCI image configuration. name_space: containerd's; nothing: the configured one.
    [[nodiscard]] std::string image_config(const std::string& image,
                                           const std::optional<std::string>& name_space) const;
    // What containerd knows of a running container, in JSON.
    [[nodiscard]] std::string inspect(const RuntimeContainer& container) const;

    void create(const std::string& id, const std::string& spec, const Properties& options) const;
    // Without streams. Returns the pid.
    std::uint32_t start_discarding(const std::string& id, Properties options) const;
    std::uint32_t exec_discarding(const std::string& id, const std::string& process,
                                  const std::string& json) const;
    void signal(const std::string& id, const std::string& process, int number) const;
    void resume(const std::string& id) const;
    void delete_task(const std::string& id) const;
    void delete_container(const std::string& id) const;
    void update(const std::string& id, const std::string& resources_json) const;
    void checkpoint(const std::string& id, const std::string& directory, bool exit) const;

    // What a call does, for its errors, and how.
    struct Question {
        std::string doing;  // of "cannot {doing}: …"
        const char* method = nullptr;
        Right right = Right::run;
        std::chrono::seconds time{};  // more than the library's own, where it may take long
    };
    // A blocking call. Throws CommandError.
    template <typename... Results, typename... Arguments>
    std::tuple<Results...> ask(const Question& question, const Arguments&... arguments) const {
        try {
            return bus::call<Results...>(*proxy_, runtime_interface, question.method,
                                         call_options(bus(), question.time), arguments...);
        } catch (const sdbus::Error& error) {
            throw failure(question, error, bus().kind);
        }
    }
    // The same on a loop: on_answer(std::optional<CommandError>, results...), which throws nothing. No answer
    // comes once this client is gone.
    template <typename... Results, typename OnAnswer, typename... Arguments>
    void ask_later(const Question& question, OnAnswer on_answer, const Arguments&... arguments) const {
        auto answered = [question, bus = bus().kind, on_answer = std::move(on_answer)](
                            const std::optional<sdbus::Error>& error, auto&&... results) {
            on_answer(error ? std::optional(failure(question, *error, bus)) : std::nullopt,
                      std::move(results)...);
        };
        try {
            bus::call_async<Results...>(*proxy_, runtime_interface, question.method,
                                        call_options(bus(), question.time), std::move(answered),
                                        arguments...);
        } catch (const sdbus::Error& error) {
            throw failure(question, error, bus().kind);
        }
    }

  private:
    // In the daemon's own words, if these say what it could not do.
    static CommandError failure(const Question& question, const sdbus::Error& error, BusKind bus);

    const BusClient& client_;
    std::string engine_;
    std::string path_;
    std::unique_ptr<sdbus::IProxy> proxy_;
};

// How long making and starting a container may take: an image may have to be unpacked.
inline constexpr std::chrono::minutes create_limit{15};
inline constexpr std::chrono::minutes start_limit{3};
// And what writes or reads memory.
inline constexpr std::chrono::minutes checkpoint_limit{30};

// "web" → 'web', for error texts.
[[nodiscard]] std::string quoted(const std::string& name);

}  // namespace shorewatch::ctl
