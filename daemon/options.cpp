#include "daemon/options.h"

#include <iostream>

#include <CLI/CLI.hpp>
#include <sysexits.h>

#include "daemon/configuration.h"

namespace shorewatch {

ParsedOptions parse_options(int argc, char** argv) {
    CLI::App app{
        "Watches the container engines of this host and publishes their alive containers on D-Bus as "
        "org.shorewatch1.",
        "shorewatchd"};
    Options options;
    app.add_option("--config", options.configuration,
                   "Read this file, and the *.toml in the folder FILE.d beside it, instead of "
                   "/etc/shorewatch/shorewatch.toml")
        ->type_name("FILE");
    app.add_flag("--user", options.user, "Serve on the session bus, for the engines of this user");
    app.add_flag("--check-config", options.check,
                 "Check the configuration and end: 0 if it is good, 78 if not");
    app.add_flag("--debug", options.debug,
                 "Tell more in the journal: a line for each start and end of a container");
    app.set_version_flag("--version", "shorewatchd " SHOREWATCH_VERSION);
    app.footer(
        "SIGHUP reads the configuration again, SIGTERM ends the daemon. The bus is the one that\n"
        "DBUS_SYSTEM_BUS_ADDRESS or, with --user, DBUS_SESSION_BUS_ADDRESS names, else the usual one.");
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        const bool asked_for = error.get_exit_code() == 0;
        app.exit(error, std::cout, std::cerr);
        return {std::nullopt, asked_for ? EX_OK : EX_USAGE};
    }
    options.configuration_named = !options.configuration.empty();
    if (!options.configuration_named) options.configuration = default_configuration_file(options.user);
    return {options, EX_OK};
}

}  // namespace shorewatch
