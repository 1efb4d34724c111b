// wait: until a container has started, ended, been paused or been unpaused; or until a project has.
#include <chrono>

#include <fmt/format.h>

#include "dbus/ctl/bus_loop.h"
#include "dbus/ctl/commands/commands.h"
#include "dbus/ctl/container_wait.h"
#include "dbus/ctl/exit_code.h"
#include "dbus/ctl/output.h"
#include "dbus/ctl/project_wait.h"
#include "dbus/ctl/watch_feed.h"
#include "dbus/ctl/watch_source.h"
#include "engines/support/text.h"

namespace shorewatch::ctl {

namespace {

// A year: more than any that is meant.
constexpr double longest_timeout = 365.0 * 24 * 3600;

struct Options {
    std::string name;  // empty: a project is waited for
    std::optional<std::string> engine;
    std::optional<std::string> project;
    bool started = false;
    bool exited = false;
    bool paused = false;
    bool unpaused = false;
    bool print = false;
    std::optional<double> timeout;  // seconds

    [[nodiscard]] WaitFor what() const {
        if (started) return WaitFor::started;
        if (paused) return WaitFor::paused;
        return unpaused ? WaitFor::unpaused : WaitFor::exited;
    }
};

std::unique_ptr<Wait> wait_of(const Options& options) {
    if (!options.name.empty())
        return std::make_unique<ContainerWait>(options.what(), options.name, options.engine);
    if (!options.project || options.project->empty()) {
        throw CommandError(
            ExitCode::usage,
            "there is nothing to wait for: say a container, or --project; see shorewatchctl wait "
            "--help");
    }
    if (options.paused || options.unpaused) {
        throw CommandError(ExitCode::usage,
                           "projects are not paused, their containers are: say a container, or --started or "
                           "--exited");
    }
    return std::make_unique<ProjectWait>(options.what(), *options.project, options.engine);
}

// Joins the signals and the list as watch --since-sync does, and tells the wait.
class Waiting {
  public:
    Waiting(const BusChoice& bus, const Options& options)
        : bus_(bus),
          connection_(open_bus(bus)),
          options_(options),
          wait_(wait_of(options)),
          feed_({options.engine, options.project, {}}, true,
                [this](const WatchEvent& event) { take(event); }),
          deadline_(loop_, [this] { give_up(); }) {}

    // What to end with. Throws CommandError. Ends by signals as programs do that know nothing of them.
    int run() {
        ContainerFilter list_filter;
        list_filter.engine = options_.engine;
        list_filter.project = options_.project;
        const BusLoop bus_loop(loop_, *connection_);
        source_.emplace(loop_, *connection_, bus_.kind, list_filter, feed_);
        if (options_.timeout) {
            deadline_.arm_after(std::chrono::duration_cast<Clock::duration>(
                std::chrono::duration<double>(*options_.timeout)));
        }
        try {
            loop_.run();
        } catch (const sdbus::Error& error) {
            throw command_error("wait", error.getName(), error.getMessage(), bus_.kind);
        }
        source_->rethrow_failure();
        return result_.value();
    }

  private:
    void take(const WatchEvent& event) {
        if (result_) return;
        if (event.kind == WatchEvent::Kind::daemon_awaited) await_daemon(event);
        if (event.kind == WatchEvent::Kind::daemon_down)
            write_complaint("the daemon has gone; waiting for it to come back");
        end_with(wait_->take(event));
        const bool news =
            event.kind == WatchEvent::Kind::synchronized || event.kind == WatchEvent::Kind::engine_state;
        if (!news || result_ || !wait_->asks_for_engines()) return;
        source_->ask_engines([this](const std::vector<EngineInfo>& engines) {
            if (!result_) end_with(wait_->take(engines));
        });
    }

    // A container that is to start may do so once the daemon has; of one that is to be there it is an error.
    void await_daemon(const WatchEvent& event) const {
        if (!options_.started) throw CommandError(ExitCode::unreachable, event.reason);
        write_complaint(event.reason + "; waiting for it");
    }

    void end_with(std::optional<int> code) {
        if (!code) return;
        result_ = code;
        loop_.stop();
    }

    void give_up() const {
        const std::string what = options_.name.empty() ? "project '" + printable(*options_.project) + "'"
                                                       : "container '" + printable(options_.name) + "'";
        const char* const state = options_.started    ? "started"
                                  : options_.paused   ? "been paused"
                                  : options_.unpaused ? "been unpaused"
                                                      : "ended";
        throw CommandError(ExitCode::timed_out, fmt::format("{} has not {} within {} s: --timeout is over",
                                                            what, state, *options_.timeout));
    }

    BusChoice bus_;
    std::unique_ptr<sdbus::IConnection> connection_;
    const Options& options_;
    std::unique_ptr<Wait> wait_;
    EventLoop loop_;
    WatchFeed feed_;
    std::optional<WatchSource> source_;
    Timer deadline_;
    std::optional<int> result_;
};

}  // namespace

void add_wait_command(CLI::App& app, const Session& session) {
    const auto options = std::make_shared<Options>();
    CLI::App* const command =
        app.add_subcommand("wait", "Wait until a container or a project ends, starts, is paused or unpaused");
    command
        ->add_option("container", options->name,
                     "Its id, the first 4 or more characters of it, or its name; without it, a project is "
                     "waited for")
        ->type_name("NAME");
    CLI::Option* const started =
        command->add_flag("--started", options->started, "Until it runs; returns at once if it does");
    CLI::Option* const exited = command->add_flag("--exited", options->exited,
                                                  "Until it has ended; this is what is done without any");
    CLI::Option* const paused = command->add_flag("--paused", options->paused, "Until it is paused");
    CLI::Option* const unpaused =
        command->add_flag("--unpaused", options->unpaused, "Until it is not paused any more");
    started->excludes(exited, paused, unpaused);
    exited->excludes(paused, unpaused);
    paused->excludes(unpaused);
    command->add_option("-e,--engine", options->engine, "Only at this engine")->type_name("ENGINE");
    command
        ->add_option(
            "-p,--project", options->project,
            "Only in this project, '' for those of none; without a container, the project is what is "
            "waited for: its first container, or the end of its last one")
        ->type_name("PROJECT");
    command->add_flag("--print", options->print,
                      "Write the exit code to the standard output, and end with 0 once it is known");
    command->add_option("-t,--timeout", options->timeout, "Wait no longer than this, and end with 124")
        ->type_name("SECONDS")
        ->check(CLI::Range(0.001, longest_timeout).description(""));
    command->footer(
        "Ends with the exit code of the container that it has waited for, 125 when nobody knows that, and 0 "
        "when it\n"
        "has waited for something else. When it can't wait or does not want to any more, it says so on the "
        "standard\n"
        "error, and ends with 124 for --timeout, else as every command. What is to start may be there later, "
        "and the\n"
        "daemon too; all else has to be there. While the daemon restarts, it waits on.\n"
        "A script that has to tell the one from the other takes --print.\n"
        "Examples:\n"
        "  shorewatchctl wait web; echo \"web has ended with $?\"\n"
        "  shorewatchctl wait --started --timeout 30 db && psql -h db\n"
        "  shorewatchctl wait --project shop");
    command->callback([options, &session] {
        const int code = Waiting(session.bus(), *options).run();
        if (!options->print) end_with(code);
        const bool has_code = options->what() == WaitFor::exited && !options->name.empty();
        if (has_code) write_answer(std::to_string(code) + "\n");
    });
}

}  // namespace shorewatch::ctl
