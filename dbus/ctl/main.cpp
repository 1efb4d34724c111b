// shorewatchctl: the command line of the daemon's D-Bus API.
#include <exception>
#include <string>
#include <string_view>

#include <CLI/CLI.hpp>
#include <locale.h>
#include <unistd.h>

#include "dbus/ctl/commands/commands.h"
#include "dbus/ctl/completion/completion.h"
#include "dbus/ctl/exit_code.h"
#include "dbus/ctl/output.h"

namespace shorewatch::ctl {

namespace {

constexpr const char* exit_codes =
    "Exit codes:\n"
    "  0  done\n"
    "  1  the daemon or the engine said no, or the output can't be written\n"
    "  2  wrong usage\n"
    "  3  no such container, image, project, engine or process; or a process that is in no container\n"
    "  4  the name fits more than one container\n"
    "  5  the daemon can't be reached: no bus, not running, no answer\n"
    "  6  access denied: join the group shorewatch, or be root\n"
    "ns, run, exec and restore end as the program does that they run, wait as the container that it waits "
    "for.\n"
    "\n"
    "'shorewatchctl COMMAND --help' has examples.";

void describe(CLI::App& app, Session& session) {
    app.name("shorewatchctl");
    app.set_version_flag("--version", "shorewatchctl " SHOREWATCH_VERSION);
    app.footer(exit_codes);
    app.require_subcommand(1);
    app.fallthrough();  // --user and the like may stand after the command, too.
    CLI::Option* const user =
        app.add_flag("--user", session.user, "The daemon on the session bus of this user");
    app.add_option("-H,--host", session.host,
                   "The daemon of another host, by ssh and systemd-stdio-bridge there")
        ->type_name("[USER@]HOST")
        ->excludes(user);
    app.add_option("--color", session.colour,
                   "Colours: auto, always or never; auto is on terminals without NO_COLOR")
        ->type_name("WHEN")
        ->check(CLI::IsMember({"auto", "always", "never"}));
    add_list_command(app, session);
    add_tree_command(app, session);
    add_top_command(app, session);
    add_show_command(app, session);
    add_watch_command(app, session);
    add_wait_command(app, session);
    add_monitor_command(app, session);
    add_engines_command(app, session);
    add_which_command(app, session);
    add_namespaces_command(app, session);
    add_inspect_command(app, session);
    add_addresses_command(app, session);
    add_pause_command(app, session);
    add_unpause_command(app, session);
    add_stop_command(app, session);
    add_kill_command(app, session);
    add_reload_command(app, session);
    add_resync_command(app, session);
    add_run_command(app, session);
    add_exec_command(app, session);
    add_ps_command(app, session);
    add_stats_command(app, session);
    add_update_command(app, session);
    add_checkpoint_command(app, session);
    add_restore_command(app, session);
    add_rm_command(app, session);
    add_task_command(app, session);
}

int complain(const std::string& text, ExitCode code) {
    write_complaint(text);
    return static_cast<int>(code);
}

// What is wrong, and whose --help to see. CLI11 says of an unknown command only that one is missing.
std::string usage_error(const CLI::App& app, const CLI::ParseError& error) {
    const auto unknown = app.remaining();
    const bool is_known = !app.get_subcommands().empty() || unknown.empty();
    std::string text = is_known ? error.what() : "there is no command or option '" + unknown.front() + "'";
    text += "; see shorewatchctl ";
    for (const CLI::App* at = &app; !at->get_subcommands().empty();) {
        at = at->get_subcommands().front();
        text.append(at->get_name()).append(" ");
    }
    return text.append("--help");
}

int run(int argc, char** argv) {
    Session session;
    CLI::App app("Shows the containers that shorewatchd watches, and runs new ones on containerd.");
    describe(app, session);
    try {
        // Asked by shells, of a command line that makes no sense yet.
        if (argc > 1 && std::string_view(argv[1]) == completion_command) {
            write_answer(completion(app, {argv + 2, argv + argc}));
            return static_cast<int>(ExitCode::ok);
        }
        app.parse(argc, argv);
    } catch (const CLI::Success& wanted) {  // --help and --version
        return app.exit(wanted);
    } catch (const CLI::ParseError& error) {
        return complain(usage_error(app, error), ExitCode::usage);
    } catch (const CommandError& error) {
        return complain(error.what(), error.code());
    } catch (const std::exception& error) {
        return complain(std::string("cannot go on: ") + error.what(), ExitCode::refused);
    }
    return static_cast<int>(ExitCode::ok);
}

}  // namespace

BusChoice Session::bus() const {
    // A password can be asked for where there is somebody to type one.
    const bool interactive = isatty(STDIN_FILENO) == 1;
    if (user) return {BusKind::user, {}, interactive};
    return {host.empty() ? BusKind::system : BusKind::remote, host, interactive};
}

Style Session::style() const {
    if (colour == "always") return output_style(ColourWhen::always);
    return output_style(colour == "never" ? ColourWhen::never : ColourWhen::automatic);
}

}  // namespace shorewatch::ctl

int main(int argc, char** argv) {
    (void)setlocale(LC_CTYPE, "");  // NOLINT(concurrency-mt-unsafe): there is no other thread yet
    try {
        return shorewatch::ctl::run(argc, argv);
    } catch (...) {  // Not even an error could be told: out of memory.
        return static_cast<int>(shorewatch::ctl::ExitCode::refused);
    }
}
