// run: a new container, and a command in it.
#include <cerrno>
#include <climits>
#include <cstdlib>
#include <map>
#include <system_error>
#include <tuple>

#include <fmt/format.h>
#include <sys/utsname.h>

#include "dbus/ctl/commands/runtime_options.h"
#include "dbus/ctl/oci/image_config.h"
#include "dbus/ctl/output.h"

namespace shorewatch::ctl {

namespace {

struct Options {
    std::vector<std::string> words;  // the image, unless there is a rootfs, and the command
    std::string first_word;          // as they are parsed, words to be
    std::vector<std::string> further;
    std::optional<std::string> rootfs;
    std::optional<std::string> engine;
    std::optional<std::string> name_space;
    std::optional<std::string> snapshotter;
    std::string id;
    std::optional<std::string> hostname;
    std::optional<std::string> entrypoint;
    std::optional<std::string> folder;
    std::optional<std::string> user;
    std::vector<std::string> environment;
    std::vector<std::string> labels;
    std::vector<std::string> mounts;
    std::vector<std::string> limits;
    std::vector<std::string> added_capabilities;
    std::vector<std::string> dropped_capabilities;
    std::string network = "none";
    std::string seccomp = "default";
    std::string cgroup_parent;
    ResourceOptions resources;
    StreamOptions streams;
    bool remove = false;
    bool read_only = false;
    bool new_privileges = false;
};

std::map<std::string, std::string> labels(const std::vector<std::string>& given) {
    std::map<std::string, std::string> result;
    for (const std::string& label : given) {
        const std::size_t equals = label.find('=');
        result.insert_or_assign(label.substr(0, equals),
                                equals == std::string::npos ? std::string() : label.substr(equals + 1));
    }
    return result;
}

std::string real_folder(const std::string& path) {
    const std::unique_ptr<char, decltype(&std::free)> real(::realpath(path.c_str(), nullptr), &std::free);
    if (!real) {
        throw CommandError(ExitCode::refused,
                           fmt::format("cannot use {} as the root of a container: {}", quoted(path),
                                       std::generic_category().message(errno)));
    }
    return real.get();
}

// What the image says, or for a root without an image nothing.
ImageConfig config_of(const RuntimeClient& runtime, const Options& options) {
    if (options.rootfs) return {};
    const std::string& image = options.words.front();
    const auto config = image_config(runtime.image_config(image, options.name_space));
    if (!config) {
        throw CommandError(
            ExitCode::refused,
            fmt::format("cannot run image {}: its configuration is no JSON object", quoted(image)));
    }
    return *config;
}

ProcessPlan process_plan(const Options& options, const ImageConfig& image,
                         const std::optional<std::string>& root) {
    ProcessPlan plan;
    std::vector<std::string> command = options.words;
    if (!root) command.erase(command.begin());
    plan.arguments = command_line(image, command, options.entrypoint);
    if (plan.arguments.empty()) {
        throw CommandError(ExitCode::usage, "there is nothing to run: say a command, after --");
    }
    plan.environment = changed_environment(default_environment(), image.environment);
    if (options.streams.terminal) plan.environment = changed_environment(plan.environment, {"TERM=xterm"});
    plan.environment = changed_environment(plan.environment, given_variables(options.environment));
    plan.folder = options.folder.value_or(image.folder.empty() ? "/" : image.folder);
    plan.user = user_of(options.user.value_or(image.user), root);
    if (options.streams.terminal) plan.terminal = our_terminal_size();
    plan.capabilities = changed_capabilities(default_capabilities(), options.added_capabilities,
                                             options.dropped_capabilities);
    for (const std::string& limit : options.limits) {
        const ResourceLimit parsed = resource_limit(limit).value();
        std::erase_if(plan.limits, [&](const ResourceLimit& other) { return other.type == parsed.type; });
        plan.limits.push_back(parsed);
    }
    plan.new_privileges = options.new_privileges;
    for (const std::string& argument : plan.arguments)
        check_text(argument, "an argument of the command");
    for (const std::string& variable : plan.environment)
        check_text(variable, "a variable of the environment");
    return plan;
}

ContainerPlan container_plan(const Options& options, const ImageConfig& image) {
    const std::optional<std::string> root =
        options.rootfs ? std::optional(real_folder(*options.rootfs)) : std::nullopt;
    ContainerPlan plan;
    plan.process = process_plan(options, image, root);
    if (root) plan.root = *root;
    plan.root_read_only = options.read_only;
    plan.hostname = options.hostname.value_or(options.id.substr(0, HOST_NAME_MAX));
    plan.network = options.network == "host" ? Network::host : Network::none;
    if (plan.network == Network::host) {
        for (const char* const file : {"/etc/hosts", "/etc/resolv.conf"})
            plan.mounts.push_back({file, file, true});
    }
    for (const std::string& mount : options.mounts)
        plan.mounts.push_back(bind_mount(mount).value());
    const std::string parent = options.cgroup_parent.empty() ? "/" + options.name_space.value_or("shorewatch")
                                                             : options.cgroup_parent;
    plan.cgroup_path = parent + "/" + options.id;
    plan.resources = options.resources.resources();
    plan.seccomp = options.seccomp == "default";
    utsname names{};
    if (::uname(&names) == 0) plan.machine = names.machine;
    for (const std::string& text : {plan.root, plan.hostname, plan.process.folder, plan.cgroup_path})
        check_text(text, "a name");
    for (const BindMount& mount : plan.mounts)
        check_text(mount.source + mount.destination, "a path");
    return plan;
}

Properties create_options(const Options& options) {
    Properties result;
    if (options.name_space) result.emplace("Namespace", sdbus::Variant(*options.name_space));
    if (!options.rootfs) result.emplace("Image", sdbus::Variant(options.words.front()));
    if (options.snapshotter) result.emplace("Snapshotter", sdbus::Variant(*options.snapshotter));
    if (!options.labels.empty()) result.emplace("Labels", sdbus::Variant(labels(options.labels)));
    if (options.remove) result.emplace("RemoveOnExit", sdbus::Variant(true));
    return result;
}

void run_detached(const RuntimeClient& runtime, const Options& options, const std::string& spec) {
    runtime.create(options.id, spec, create_options(options));
    try {
        runtime.start_discarding(options.id, {});
    } catch (const CommandError&) {
        // It has never run: there is nothing in it that somebody could want to look at.
        try {
            runtime.delete_container(options.id);
        } catch (const CommandError&) {
            // Why it could not be started is what there is to tell; and with --rm it is gone by now.
        }
        throw;
    }
    write_answer(options.id + "\n");
}

void run(const Session& session, Options& options) {
    check(options.streams, session, "run");
    if (!options.rootfs && options.words.empty())
        throw CommandError(ExitCode::usage, "there is nothing to run: say an image, or --rootfs");
    if (options.id.empty()) options.id = random_name();
    std::string spec;
    {
        const BusClient client(session.bus());
        const RuntimeClient runtime(client, options.engine);
        spec = spec_json(container_plan(options, config_of(runtime, options)));
        if (options.streams.detached) return run_detached(runtime, options, spec);
    }
    ProcessRequest request;
    request.container = options.id;
    request.what = NewContainer{std::move(spec), create_options(options)};
    request.terminal = options.streams.terminal;
    request.input = options.streams.input;
    request.remove = options.remove;
    run_and_exit(session, options.engine, std::move(request));
}

void add_container_options(CLI::App& command, Options& options) {
    command.add_option("--rootfs", options.rootfs, "The folder that is its root, instead of an image")
        ->type_name("DIR");
    command.add_option("-n,--name", options.id, "Its id; made up if none is given")->type_name("ID");
    command.add_flag("--rm", options.remove, "Removed when the command has ended");
    command.add_flag("--read-only", options.read_only, "Its root can't be written to");
    command.add_option("-v,--volume", options.mounts, "A folder or file of the host in it; may be repeated")
        ->type_name("SOURCE:PATH[:ro]")
        ->take_all()
        ->allow_extra_args(false)
        ->check(checked(bind_mount, "of the form SOURCE:PATH or SOURCE:PATH:ro, with absolute paths"));
    command.add_option("-l,--label", options.labels, "A label of it; may be repeated")
        ->type_name("KEY=VALUE")
        ->take_all()
        ->allow_extra_args(false);
    command.add_option("--hostname", options.hostname, "Its host name; its id if none is given")
        ->type_name("NAME");
    command
        .add_option("--network", options.network,
                    "none: a loopback interface alone, the default; host: the host's, and its names")
        ->type_name("KIND")
        ->check(CLI::IsMember({"none", "host"}));
    command
        .add_option("--cgroup-parent", options.cgroup_parent,
                    "Where its control group is; default: /NAMESPACE")
        ->type_name("PATH")
        ->check(checked([](const std::string& path) { return path.starts_with('/'); }, "an absolute path"));
    command.add_option("--namespace", options.name_space, "containerd's namespace, and its image's")
        ->type_name("NAMESPACE");
    command.add_option("--snapshotter", options.snapshotter, "containerd's, for its image")
        ->type_name("NAME");
}

void add_process_options(CLI::App& command, Options& options) {
    command.add_option("-e,--env", options.environment, "A variable; without a value, ours; may be repeated")
        ->type_name("KEY[=VALUE]")
        ->take_all()
        ->allow_extra_args(false);
    command.add_option("-u,--user", options.user, "Who it runs as; names are looked up in its root")
        ->type_name("USER[:GROUP]");
    command.add_option("-w,--workdir", options.folder, "The folder it runs in")
        ->type_name("DIR")
        ->check(checked([](const std::string& path) { return path.starts_with('/'); }, "an absolute path"));
    command.add_option("--entrypoint", options.entrypoint, "Instead of the image's; '' for none")
        ->type_name("PROGRAM");
}

void add_rights_options(CLI::App& command, Options& options) {
    const auto is_capability = [](const std::string& text) {
        return text == "all" || text == "ALL" || capability_name(text);
    };
    for (auto [name, values, what] : {std::tuple{"--cap-add", &options.added_capabilities,
                                                 "A capability beside the usual ones, or 'all'"},
                                      std::tuple{"--cap-drop", &options.dropped_capabilities,
                                                 "One of them that it is not to have, or 'all'"}}) {
        command.add_option(name, *values, what)
            ->type_name("NAME")
            ->take_all()
            ->allow_extra_args(false)
            ->group("Rights")
            ->check(checked(is_capability, "a capability, as NET_ADMIN"));
    }
    command.add_flag("--allow-new-privileges", options.new_privileges, "As of programs like su")
        ->group("Rights");
    command
        .add_option("--seccomp", options.seccomp, "default: the usual system calls alone; none: all of them")
        ->type_name("PROFILE")
        ->group("Rights")
        ->check(CLI::IsMember({"default", "none"}));
    command.add_option("--ulimit", options.limits, "A limit of its processes, as nofile=1024:4096")
        ->type_name("NAME=SOFT[:HARD]")
        ->take_all()
        ->allow_extra_args(false)
        ->group("Limits")
        ->check(checked(resource_limit, "a limit, as nofile=1024:4096"));
}

}  // namespace

void add_run_command(CLI::App& app, const Session& session) {
    const auto options = std::make_shared<Options>();
    CLI::App* const command = app.add_subcommand("run", "Run a command in a new container, on containerd");
    command
        ->add_option("image", options->first_word,
                     "The name of one that containerd has, unless there is --rootfs")
        ->type_name("IMAGE");
    command->add_option("command", options->further, "After --: the program and its arguments")
        ->type_name("COMMAND");
    add_stream_options(*command, options->streams);
    add_container_options(*command, *options);
    add_process_options(*command, *options);
    add_rights_options(*command, *options);
    add_resource_options(*command, options->resources);
    add_engine_option(*command, options->engine);
    command->footer(
        "Ends as the command does, with 128+N if signal N ended it, 127 if there is no such program in it, "
        "and 126\n"
        "if it can't be run. Signals are passed on to the command; at the third SIGINT or SIGTERM it is left "
        "alone\n"
        "and goes on. With -it, all keys go to it; shorewatchctl is left by ending the command, or by "
        "SIGTERM.\n"
        "Containers that have ended are kept, unless --rm; see ps and rm. What they may do, and what they "
        "see of the\n"
        "host, is as with Docker; docs/running-containers.md has it. --user is who runs it: where it means "
        "the daemon "
        "on the\n"
        "session bus, it stands before run.\n"
        "Examples:\n"
        "  shorewatchctl run -it --rm docker.io/library/busybox:latest -- sh\n"
        "  shorewatchctl run --rm --rootfs /srv/root --memory 256m -- /bin/job --fast\n"
        "  shorewatchctl run -d --name web --network host docker.io/library/nginx:latest\n"
        "  tar c . | shorewatchctl run -i --rm --rootfs /srv/root --read-only -- sha256sum");
    command->callback([options, &session] {
        // With --rootfs there is no image before the command.
        if (!options->first_word.empty()) options->words.push_back(options->first_word);
        options->words.insert(options->words.end(), options->further.begin(), options->further.end());
        run(session, *options);
    });
}

}  // namespace shorewatch::ctl
