// exec: one more command in a container that runs.
#include <fmt/format.h>

#include "dbus/ctl/commands/runtime_options.h"
#include "dbus/ctl/oci/exec_process.h"

namespace shorewatch::ctl {

namespace {

struct Options {
    std::string container;
    std::vector<std::string> command;
    std::optional<std::string> engine;
    std::vector<std::string> environment;
    std::optional<std::string> folder;
    std::optional<std::string> user;
    StreamOptions streams;
};

ExecPlan plan_of(const Options& options, const std::string& inspection) {
    ExecPlan plan;
    plan.arguments = options.command;
    plan.environment = given_variables(options.environment);
    plan.folder = options.folder;
    if (options.user) plan.user = user_of(*options.user, root_of(inspection));
    if (options.streams.terminal) plan.terminal = our_terminal_size();
    for (const std::string& argument : plan.arguments)
        check_text(argument, "an argument of the command");
    for (const std::string& variable : plan.environment)
        check_text(variable, "a variable of the environment");
    return plan;
}

void run(const Session& session, const Options& options) {
    check(options.streams, session, "exec");
    ProcessRequest request;
    request.container = options.container;
    request.process = "exec-" + random_name();
    {
        const BusClient client(session.bus());
        const RuntimeClient runtime(client, options.engine);
        const RuntimeContainer container = runtime.find(options.container);
        if (!container.alive()) {
            throw CommandError(ExitCode::not_found,
                               fmt::format("cannot run a command in container {}: it does not run; see "
                                           "shorewatchctl ps",
                                           quoted(options.container)));
        }
        const std::string inspection = runtime.inspect(container);
        auto json = exec_json(inspection, plan_of(options, inspection));
        if (!json) {
            throw CommandError(
                ExitCode::refused,
                fmt::format("cannot run a command in container {}: containerd does not tell how its "
                            "own process runs",
                            quoted(options.container)));
        }
        if (options.streams.detached) {
            runtime.exec_discarding(options.container, request.process, *json);
            return;
        }
        request.what = NewProcess{std::move(*json)};
    }
    request.terminal = options.streams.terminal;
    request.input = options.streams.input;
    run_and_exit(session, options.engine, std::move(request));
}

}  // namespace

void add_exec_command(CLI::App& app, const Session& session) {
    const auto options = std::make_shared<Options>();
    CLI::App* const command =
        app.add_subcommand("exec", "Run one more command in a container that run has made");
    add_container_option(*command, options->container);
    command->add_option("command", options->command, "After --: the program and its arguments")
        ->required()
        ->type_name("COMMAND");
    add_stream_options(*command, options->streams);
    command
        ->add_option("-e,--env", options->environment, "A variable; without a value, ours; may be repeated")
        ->type_name("KEY[=VALUE]")
        ->take_all()
        ->allow_extra_args(false);
    command
        ->add_option("-u,--user", options->user, "Who it runs as; the container's own user if none is given")
        ->type_name("USER[:GROUP]");
    command->add_option("-w,--workdir", options->folder, "The folder it runs in")
        ->type_name("DIR")
        ->check(checked([](const std::string& path) { return path.starts_with('/'); }, "an absolute path"));
    add_engine_option(*command, options->engine);
    command->footer(
        "It has the environment, the rights and the limits of the container's own command. Ends as the "
        "command does,\n"
        "with 128+N if signal N ended it, 127 if there is no such program in the container, and 126 if it "
        "can't be\n"
        "run; signals are passed on, as by run.\n"
        "Examples:\n"
        "  shorewatchctl exec -it web -- sh\n"
        "  shorewatchctl exec web -- cat /etc/os-release\n"
        "  shorewatchctl exec -i -u postgres db -- psql < dump.sql");
    command->callback([options, &session] { run(session, *options); });
}

}  // namespace shorewatch::ctl
