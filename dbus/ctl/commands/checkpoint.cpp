// checkpoint and restore: the state of a container written down, and containers gone on with.
#include <filesystem>

#include <fmt/format.h>

#include "dbus/ctl/commands/runtime_options.h"
#include "dbus/ctl/output.h"

namespace shorewatch::ctl {

namespace {

// As the daemon has it, whose working folder is another. On another host it must be absolute by itself.
std::string absolute(const Session& session, const std::string& path) {
    if (!session.host.empty() && !path.starts_with('/')) {
        throw CommandError(ExitCode::usage,
                           fmt::format("{} is to be on another host: say an absolute path", quoted(path)));
    }
    const std::string result = std::filesystem::absolute(path).lexically_normal();
    check_text(result, "a path");
    return result;
}

struct RestoreOptions {
    std::string container;
    std::optional<std::string> directory;
    std::optional<std::string> engine;
    bool input = false;
    bool detached = false;
};

void restore(const Session& session, const RestoreOptions& options) {
    StreamOptions streams;
    streams.input = options.input;
    streams.detached = options.detached;
    check(streams, session, "restore");
    if (options.detached && !options.directory)
        throw CommandError(ExitCode::usage,
                           "there is nothing to do: it goes on by itself; say --from, or no -d");
    Properties start_options;
    if (options.directory)
        start_options.emplace("CheckpointDirectory", sdbus::Variant(absolute(session, *options.directory)));
    ProcessRequest request;
    request.container = options.container;
    {
        const BusClient client(session.bus());
        const RuntimeClient runtime(client, options.engine);
        const RuntimeContainer found = runtime.find(options.container);
        // By the checkpoint, as a rule: how it ended is of no use once it goes on.
        if (options.directory && !found.status.empty() && !found.alive())
            runtime.delete_task(options.container);
        if (options.detached) {
            runtime.start_discarding(options.container, start_options);
            return;
        }
        // One with a terminal is no use without its keys.
        request.input = options.input || found.terminal;
    }
    if (options.directory) {
        request.what = KnownContainer{std::move(start_options)};
    } else {
        request.what = RunningContainer{};
    }
    run_and_exit(session, options.engine, std::move(request));
}

}  // namespace

void add_checkpoint_command(CLI::App& app, const Session& session) {
    struct Options {
        std::string container;
        std::string directory;
        std::optional<std::string> engine;
        bool leave_running = false;
    };
    const auto options = std::make_shared<Options>();
    CLI::App* const command = app.add_subcommand(
        "checkpoint", "Write the state of a container's processes to a folder, and end them");
    add_container_option(*command, options->container);
    command->add_option("directory", options->directory, "A new folder for it, on the daemon's host")
        ->required()
        ->type_name("DIR");
    command->add_flag("--leave-running", options->leave_running, "They go on");
    add_engine_option(*command, options->engine);
    command->footer(
        "By CRIU, which has to be installed and to know the kernel. Memory of the processes is written, and "
        "all that\n"
        "is in it. Only root can read the folder. It can't be below /home, /root, /tmp, /var/tmp and "
        "/run/user, which\n"
        "the system's daemon does not see.\n"
        "Examples:\n"
        "  shorewatchctl checkpoint job /srv/checkpoints/job\n"
        "  shorewatchctl restore --from /srv/checkpoints/job job");
    command->callback([options, &session] {
        const std::string directory = absolute(session, options->directory);
        const BusClient client(session.bus());
        RuntimeClient(client, options->engine)
            .checkpoint(options->container, directory, !options->leave_running);
    });
}

void add_restore_command(CLI::App& app, const Session& session) {
    const auto options = std::make_shared<RestoreOptions>();
    CLI::App* const command = app.add_subcommand(
        "restore", "Attach to a container that run has made, or start it from a checkpoint");
    add_container_option(*command, options->container);
    command->add_option("--from", options->directory, "The folder that checkpoint has written")
        ->type_name("DIR");
    command->add_flag("-i,--interactive", options->input,
                      "Our standard input is its; always so where it has a terminal");
    command->add_flag("-d,--detach", options->detached,
                      "With --from: don't wait for it; its output goes nowhere");
    add_engine_option(*command, options->engine);
    command->footer(
        "Without --from, it attaches to one that runs, as when a shorewatchctl run has ended before it. Of "
        "output\n"
        "that several have attached to, each has a part. Ends as run does.\n"
        "Examples:\n"
        "  shorewatchctl restore web\n"
        "  shorewatchctl restore --from /srv/checkpoints/job job");
    command->callback([options, &session] { restore(session, *options); });
}

}  // namespace shorewatch::ctl
