// task: what the daemon's task engine runs: added, listed, shown, followed, stopped, removed, exported; and
// the images that there are for it.
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <iterator>
#include <system_error>

#include <fmt/format.h>

#include "dbus/ctl/bus_loop.h"
#include "dbus/ctl/commands/commands.h"
#include "dbus/ctl/json_out.h"
#include "dbus/ctl/output.h"
#include "dbus/ctl/tasks/task_client.h"
#include "dbus/ctl/tasks/task_views.h"
#include "dbus/ctl/time_format.h"
#include "engines/support/text.h"

namespace shorewatch::ctl {

namespace {

// More than the daemon takes, so that it is the one to say so.
constexpr std::size_t longest_definition = std::size_t{1} << 20U;

struct Options {
    std::string name;
    std::vector<std::string> names;
    bool json = false;
};

std::string read_all(std::istream& stream) {
    std::string text(longest_definition, '\0');
    stream.read(text.data(), static_cast<std::streamsize>(text.size()));
    text.resize(static_cast<std::size_t>(stream.gcount()));
    return text;
}

std::string definition_in(const std::string& file) {
    if (file == "-") return read_all(std::cin);
    errno = 0;
    std::ifstream stream(file, std::ios::binary);
    std::string text = read_all(stream);
    if (stream.is_open() && !stream.bad()) return text;
    throw CommandError(
        ExitCode::usage,
        fmt::format("cannot read {}: {}; say a file that you may read, or - for the standard input",
                    printable(file), std::generic_category().message(errno == 0 ? EIO : errno)));
}

CLI::App* add_command(CLI::App& task, const char* name, const char* what) {
    CLI::App* const command = task.add_subcommand(name, what);
    command->fallthrough();
    return command;
}

void add_add(CLI::App& task, const Session& session, const std::shared_ptr<Options>& options) {
    CLI::App* const command = add_command(task, "add", "Have a task run, and say its arn");
    command->add_option("file", options->name, "An ECS task definition, JSON; - is the standard input")
        ->required()
        ->type_name("FILE|-");
    command->footer(
        "Examples:\n"
        "  shorewatchctl task add shop.json\n"
        "  aws ecs describe-task-definition --task-definition shop | jq .taskDefinition | "
        "shorewatchctl task add -");
    command->callback([options, &session] {
        const std::string definition = definition_in(options->name);
        const BusClient client(session.bus());
        write_answer(printable(TaskClient(client).add(definition)) + "\n");
    });
}

void add_list(CLI::App& task, const Session& session, const std::shared_ptr<Options>& options) {
    CLI::App* const command = add_command(task, "list", "List the tasks");
    command->add_flag("--json", options->json, "An array of objects with all properties");
    command->footer(
        "Examples:\n"
        "  shorewatchctl task list\n"
        "  shorewatchctl task list --json | jq -r '.[] | select(.KnownStatus != \"RUNNING\") | .Arn'");
    command->callback([options, &session] {
        const BusClient client(session.bus());
        const TaskClient tasks(client);
        const std::vector<TaskInfo> found = tasks.list();
        write_answer(options->json ? to_json(found) : task_table(found, now_usec(), session.style()));
        if (const std::string problem = tasks.problem(); !problem.empty()) write_complaint(problem);
    });
}

void add_show(CLI::App& task, const Session& session, const std::shared_ptr<Options>& options) {
    CLI::App* const command =
        add_command(task, "show", "Show all of one task, and what each of its containers waits for");
    command->add_option("task", options->name, "Its arn, the beginning of that, or its family")
        ->required()
        ->type_name("TASK");
    command->add_flag("--json", options->json, "An object with all properties");
    command->footer(
        "Examples:\n"
        "  shorewatchctl task show shop\n"
        "  shorewatchctl task show --json shop | jq .Containers");
    command->callback([options, &session] {
        const BusClient client(session.bus());
        const TaskInfo found = TaskClient(client).find(options->name);
        write_answer(options->json ? to_json(found) : task_details(found, now_usec(), session.style()));
    });
}

void add_images(CLI::App& task, const Session& session, const std::shared_ptr<Options>& options) {
    CLI::App* const command = add_command(task, "images", "List the images at the engine of tasks");
    command->add_flag("--json", options->json, "An array of objects: Id, Names, Size, CreatedAt");
    command->footer(
        "Examples:\n"
        "  shorewatchctl task images");
    command->callback([options, &session] {
        const BusClient client(session.bus());
        const std::vector<ImageInfo> found = TaskClient(client).images();
        write_answer(options->json ? to_json(found) : image_table(found, now_usec(), session.style()));
    });
}

void watch(const Session& session, const Options& options) {
    const BusClient client(session.bus());
    const Style style = session.style();
    (void)std::signal(SIGPIPE, SIG_IGN);

    EventLoop loop;
    const EndingSignals ending(loop);
    std::optional<CommandError> output_error;
    LineOutput output(loop, STDOUT_FILENO, [&](std::optional<CommandError> error) {
        output_error = std::move(error);
        loop.stop();
    });
    try {
        const TaskEvents events(
            client.connection(),
            [&](const TaskEvent& event) {
                const bool wanted = options.name.empty() || event.arn.starts_with(options.name);
                if (wanted) {
                    output.write(options.json ? to_json(event) : task_event_text(event, now_usec(), style));
                }
            },
            [] { write_complaint("the daemon is back"); });
        // That it can be asked, before anything is waited for.
        static_cast<void>(TaskClient(client).list());
        serve(loop, client.connection(), ending, "watch the tasks", client.bus().kind);
    } catch (const sdbus::Error& error) {
        throw command_error("watch the tasks", error.getName(), error.getMessage(), client.bus().kind);
    }
    if (output_error) throw CommandError(*output_error);
}

void add_watch(CLI::App& task, const Session& session, const std::shared_ptr<Options>& options) {
    CLI::App* const command =
        add_command(task, "watch", "Show each status that tasks and their containers reach, a line each");
    command->add_option("task", options->name, "Only tasks whose arn begins so")->type_name("TASK");
    command->add_flag("--json", options->json, "An object a line, with all that the D-Bus signal says");
    command->footer(
        "Ends with 0 on SIGINT and SIGTERM, and when its output is closed.\n"
        "Examples:\n"
        "  shorewatchctl task watch\n"
        "  shorewatchctl task watch --json | jq -r 'select(.status == \"STOPPED\") | .arn'");
    command->callback([options, &session] { watch(session, *options); });
}

using Act = void (TaskClient::*)(const std::string& name) const;

void add_act(CLI::App* command, const char* example, const Session& session,
             const std::shared_ptr<Options>& options, Act act) {
    command->footer(std::string("Examples:\n  ") + example);
    command->add_option("task", options->names, "Its arn, the beginning of that, or its family")
        ->required()
        ->type_name("TASK");
    command->callback([options, &session, act] {
        const BusClient client(session.bus());
        const TaskClient tasks(client);
        for_each_container(options->names, [&](const std::string& name) { (tasks.*act)(name); });
    });
}

}  // namespace

void add_task_command(CLI::App& app, const Session& session) {
    const auto options = std::make_shared<Options>();
    CLI::App* const task =
        app.add_subcommand("task", "Tasks: sets of containers that run together, as ECS defines them");
    task->require_subcommand(1);
    task->fallthrough();
    add_add(*task, session, options);
    add_list(*task, session, options);
    add_show(*task, session, options);
    add_watch(*task, session, options);
    add_act(add_command(*task, "stop", "Stop tasks, at once, whatever they are at; returns before they have"),
            "shorewatchctl task stop shop", session, options, &TaskClient::stop);
    add_act(add_command(*task, "rm", "Stop tasks and remove all of them; returns before that is done"),
            "shorewatchctl task rm shop old", session, options, &TaskClient::remove);
    add_images(*task, session, options);
    CLI::App* const exported =
        add_command(*task, "export", "Print the state of all tasks as it is kept, JSON");
    exported->footer(
        "Examples:\n"
        "  shorewatchctl task export > tasks.json");
    exported->callback([&session] {
        const BusClient client(session.bus());
        const std::string state = TaskClient(client).export_state();
        write_answer(ascii_json(state).value_or(state + "\n"));
    });
    task->footer(
        "Definitions, and files for tasks that are there as long as their file is: docs/tasks.md.\n"
        "Examples:\n"
        "  shorewatchctl task add shop.json\n"
        "  shorewatchctl task show shop");
}

}  // namespace shorewatch::ctl
