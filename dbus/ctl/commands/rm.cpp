// rm: containers that run has made, removed. It says nothing when it is done.
#include <csignal>

#include "dbus/ctl/bus_loop.h"
#include "dbus/ctl/commands/runtime_options.h"
#include "dbus/ctl/loop_guard.h"
#include "dbus/ctl/runtime/runtime_events.h"

namespace shorewatch::ctl {

namespace {

// Of a process that is killed: until its memory is freed and its devices have let go of it.
constexpr std::chrono::seconds end_limit{60};

// What is not there needs no removing.
template <typename Act>
void unless_gone(const Act& act) {
    try {
        act();
    } catch (const CommandError& error) {
        if (error.code() != ExitCode::not_found) throw;
    }
}

// Kills a container and returns when it has ended.
class Killing {
  public:
    Killing(const RuntimeClient& runtime, const RuntimeContainer& container)
        : runtime_(runtime), container_(container), guard_(loop_), deadline_(loop_, [this] { give_up(); }) {}

    void run() {
        try {
            const RuntimeEvents events(runtime_.connection(), runtime_.path(),
                                       {[this](const RuntimeEvent& event) { guard_([&] { handle(event); }); },
                                        [this] { guard_([this] { look(); }); }});
            const BusLoop bus_loop(loop_, runtime_.connection());
            deadline_.arm_after(end_limit);
            kill();
            loop_.run();
        } catch (const sdbus::Error& error) {
            throw command_error("remove container " + quoted(container_.id), error.getName(),
                                error.getMessage(), runtime_.bus().kind);
        }
        guard_.rethrow();
    }

  private:
    void kill() {
        bool gone = true;
        unless_gone([&] {
            runtime_.signal(container_.id, initial_process, SIGKILL);
            gone = false;
        });
        if (gone) return loop_.stop();
        if (container_.status == "paused") thaw();
    }

    // Frozen processes have the signal, and end when they thaw; some runtimes see to that themselves, so that
    // it is no error if this fails: their end is what counts.
    void thaw() {
        try {
            runtime_.resume(container_.id);
        } catch (const CommandError& error) {
            if (error.code() == ExitCode::unreachable) throw;
        }
    }

    void handle(const RuntimeEvent& event) {
        if (event.container == container_.id && event.process == initial_process && event.type == "exit")
            loop_.stop();
    }

    // The daemon was away, and may have told of the end meanwhile.
    void look() {
        auto listed = [this](std::optional<CommandError> failure, std::uint64_t,
                             const std::vector<RuntimeRow>& rows) {
            guard_([&] {
                if (failure) throw CommandError(*failure);
                for (const RuntimeRow& row : rows) {
                    if (row.get<0>() == container_.id &&
                        runtime_container(row.get<0>(), {}, row.get<1>()).alive())
                        return;
                }
                loop_.stop();
            });
        };
        runtime_.ask_later<std::uint64_t, std::vector<RuntimeRow>>(
            {"look after container " + quoted(container_.id), "List", Right::inspect}, listed, Properties{});
    }

    void give_up() {
        throw CommandError(ExitCode::refused,
                           "cannot remove container " + quoted(container_.id) +
                               ": it was killed and has not ended for a minute; see its processes");
    }

    const RuntimeClient& runtime_;
    const RuntimeContainer& container_;
    EventLoop loop_;
    LoopGuard guard_;
    Timer deadline_;
};

void remove(const RuntimeClient& runtime, const std::string& id, bool force) {
    const RuntimeContainer container = runtime.find(id);
    if (force && container.alive()) Killing(runtime, container).run();
    // One that removes itself may be gone by now.
    if (!force) return runtime.delete_container(id);
    unless_gone([&] { runtime.delete_container(id); });
}

}  // namespace

void add_rm_command(CLI::App& app, const Session& session) {
    struct Options {
        std::vector<std::string> containers;
        std::optional<std::string> engine;
        bool force = false;
    };
    const auto options = std::make_shared<Options>();
    CLI::App* const command = app.add_subcommand("rm", "Remove containers that run has made");
    command->add_option("container", options->containers, "Their ids, as ps shows them")
        ->required()
        ->type_name("ID");
    command->add_flag("-f,--force", options->force, "Those that run, too: they are killed");
    add_engine_option(*command, options->engine);
    command->footer(
        "Examples:\n"
        "  shorewatchctl rm job\n"
        "  shorewatchctl rm -f web db");
    command->callback([options, &session] {
        const BusClient client(session.bus());
        const RuntimeClient runtime(client, options->engine);
        for_each_container(options->containers,
                           [&](const std::string& id) { remove(runtime, id, options->force); });
    });
}

}  // namespace shorewatch::ctl
