// Mistakes in the configuration: each is told by its place, in one line, with what was expected.
#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/config_nesting.h"
#include "tests/unit/catch.h"
#include "tests/unit/configuration_files.h"

using namespace shorewatch;
using namespace shorewatch::testing;

TEST_CASE("a mistake is told by file, line and column, with what was expected") {
    const std::string name =
        "1 to 64 characters of A-Z, a-z, 0-9, '_', '.' and '-', the first a letter or digit";
    const std::string pem = "the absolute path of a PEM file, of at most 4095 bytes";
    const std::string any_endpoint = "unix:///path/to/socket, tcp://host:port or https://host:port";
    const std::string user = "the name of a user, or his number, as in user = \"alice\"";
    const std::string namespaces = "an array of names, as in namespaces = [\"default\", \"build\"]";
    const std::string namespace_name =
        "1 to 76 letters and digits, with single '_', '.' and '-' between them";
    const std::string tls_endpoint = "a tcp:// or https:// endpoint, or no tls";
    const std::string each = "a table for each engine, under [[engine]]";
    struct Case {
        std::string text;
        std::string error;
    };
    const std::vector<Case> cases = {
        // Keys.
        {"\n  engines = 1",
         "FILE:2:3: unknown key 'engines' in the configuration; expected one of 'discover', "
         "'discover_users', "
         "'engine', 'runtime', 'tasks'"},
        {"tasks = true", "FILE:1:9: 'tasks' is a boolean; expected a table, under [tasks]"},
        {"[tasks]\nengine = 'a b'",
         "FILE:2:10: 'a b' can't be the name of an engine; expected one as of an [[engine]]"},
        {"[tasks]\nfolder = 'tasks.d'",
         "FILE:2:10: 'tasks.d' is no absolute path; expected the absolute path of a folder, of at most 4095 "
         "bytes"},
        {"[tasks]\ncleanup_after = 3",
         "FILE:2:17: 'cleanup_after' is an integer; expected a string as in \"3h\": a number of at most a "
         "year, and s, m, h or d"},
        {"[tasks]\ncleanup_after = '3 h'",
         "FILE:2:17: '3 h' is no duration; expected a string as in \"3h\": a number of at most a year, and "
         "s, m, h or d"},
        {"[tasks]\ncleanup_after = '367d'",
         "FILE:2:17: '367d' is no duration; expected a string as in \"3h\": a number of at most a year, and "
         "s, m, h or d"},
        {"runtime = 1", "FILE:1:11: 'runtime' is an integer; expected a table, under [runtime]"},
        {"[runtime]\nmost_containers = -1",
         "FILE:2:19: 'most_containers' is -1; expected an integer, 0 to 10000"},
        {"[runtime]\nnamespace = 'a/b'",
         "FILE:2:13: 'a/b' can't be the name of a namespace; expected 1 to 76 letters and digits, with "
         "single '_', '.' and '-' between them"},
        {"discover = 'maybe'", "FILE:1:12: 'maybe' is not known; expected true, false or \"deep\""},
        {"discover = 1", "FILE:1:12: 'discover' is an integer; expected true, false or \"deep\""},
        {"[discover_users]\n", "FILE:1:1: 'discover_users' is a table; expected true or false"},
        {"[[engine]]\nname = 'a'\nnmae = 'b'",
         "FILE:3:1: unknown key 'nmae' in [[engine]]; expected one of 'name', 'type', 'endpoint', 'user', "
         "'enabled', 'tls', 'namespaces'"},
        {"[[engine]]\nendpoint = 'tcp://h'\ntls = { ca = '/c', verify = false }",
         "FILE:3:20: unknown key 'verify' in tls; expected one of 'ca', 'certificate', 'key'"},
        {"[[engine]]\n\"\\u0000\\u001b[31m\" = 1",
         "FILE:2:1: unknown key '\\x00\\x1b[31m' in [[engine]]; expected one of 'name', 'type', 'endpoint', "
         "'user', 'enabled', 'tls', 'namespaces'"},
        {"[[engine]]\n" + std::string(300, 'k') + " = 1",
         "FILE:2:1: unknown key '" + std::string(100, 'k') +
             "…' in [[engine]]; expected one of 'name', 'type', 'endpoint', 'user', 'enabled', 'tls', "
             "'namespaces'"},
        // Types of values.
        {"engine = 'docker'", "FILE:1:10: 'engine' is a string; expected " + each},
        {"[engine]\nname = 'a'", "FILE:1:1: 'engine' is a table; expected " + each},
        {"engine = [ 5 ]", "FILE:1:12: 'engine' is an integer; expected " + each},
        {"[[engine]]\nname = 1", "FILE:2:8: 'name' is an integer; expected a string of " + name},
        {"[[engine]]\ntype = ['docker']",
         "FILE:2:8: 'type' is an array; expected a string, as in type = \"docker\""},
        {"[[engine]]\nendpoint = 1.5",
         "FILE:2:12: 'endpoint' is a float; expected a string, as in endpoint = "
         "\"unix:///run/docker.sock\""},
        {"[[engine]]\nenabled = 'yes'", "FILE:2:11: 'enabled' is a string; expected true or false"},
        {"[[engine]]\nenabled = 2026-11-22", "FILE:2:11: 'enabled' is a date; expected true or false"},
        {"[[engine]]\nenabled = 01:02:03", "FILE:2:11: 'enabled' is a time; expected true or false"},
        {"[[engine]]\nenabled = 2026-11-22T01:02:03Z",
         "FILE:2:11: 'enabled' is a date and time; expected true or false"},
        {"[[engine]]\ntls = true",
         "FILE:2:7: 'tls' is a boolean; expected a table, as in tls = { ca = \"/etc/shorewatch/ca.pem\" }"},
        {"[[engine]]\n[engine.tls]\nca = {}", "FILE:3:6: 'ca' is a table; expected a string, " + pem},
        // Names.
        {"[[engine]]\nname = ''", "FILE:2:8: '' can't be the name of an engine; expected " + name},
        {"[[engine]]\nname = '-a'", "FILE:2:8: '-a' can't be the name of an engine; expected " + name},
        {"[[engine]]\nname = 'a/b'", "FILE:2:8: 'a/b' can't be the name of an engine; expected " + name},
        {"[[engine]]\nname = 'ä'", "FILE:2:8: 'ä' can't be the name of an engine; expected " + name},
        {"[[engine]]\nname = '" + std::string(65, 'x') + "'",
         "FILE:2:8: '" + std::string(65, 'x') + "' can't be the name of an engine; expected " + name},
        {"[[engine]]\nname = 'a'\n[[engine]]\nname = 'b'\n[[engine]]\nname = 'a'",
         "FILE:6:8: engine 'a' is already in this file, on line 1; expected one [[engine]] for each name"},
        {"[[engine]]\n\n[[engine]]\nname = 'docker'",
         "FILE:4:8: engine 'docker' is already in this file, on line 1; expected one [[engine]] for each "
         "name"},
        {"engine = [ {}, {} ]",
         "FILE:1:16: engine 'docker' is already in this file, on line 1; expected one [[engine]] for each "
         "name"},
        // Types of engines.
        {"[[engine]]\ntype = 'rkt'",
         "FILE:2:8: 'rkt' is no known type of engine; expected one of 'containerd', 'cri', 'docker', "
         "'other', 'podman'"},
        // Endpoints.
        {"[[engine]]\nendpoint = 'docker.sock'",
         "FILE:2:12: 'docker.sock' is no endpoint: its scheme is not known; expected " + any_endpoint},
        {"[[engine]]\nendpoint = 'unix://run'",
         "FILE:2:12: 'unix://run' is no endpoint: the path of a unix socket must be absolute; expected " +
             any_endpoint},
        {"[[engine]]\nendpoint = 'tcp://h:99999'",
         "FILE:2:12: 'tcp://h:99999' is no endpoint: a port is a number from 1 to 65535; expected " +
             any_endpoint},
        {"[[engine]]\nendpoint = '/" + std::string(600, 'x') + "'",
         "FILE:2:12: '/" + std::string(99, 'x') + "…' is too long; expected at most 512 bytes"},
        {"\n [[engine]]\ntype = 'other'",
         "FILE:2:2: engine 'other' has no endpoint; expected endpoint, as in endpoint = "
         "\"unix:///run/engine.sock\""},
        // Users.
        {"[[engine]]\nuser = 1000", "FILE:2:8: 'user' is an integer; expected " + user},
        {"[[engine]]\nuser = ''", "FILE:2:8: '' is no name of a user; expected " + user},
        {"[[engine]]\nuser = 'no such user'", "FILE:2:8: there is no user 'no such user'; expected " + user},
        {"[[engine]]\nuser = '99999999999'", "FILE:2:8: there is no user '99999999999'; expected " + user},
        {"[[engine]]\nendpoint = 'tcp://h'\nuser = 'root'",
         "FILE:3:8: user, but the endpoint is 'tcp://h:2375'; expected a unix socket, or no user"},
        // Namespaces, and what else is containerd's.
        {"[[engine]]\nnamespaces = ['a']",
         "FILE:2:1: namespaces, but the engine's type is 'docker'; expected type = \"containerd\", or no "
         "namespaces"},
        {"[[engine]]\ntype = 'containerd'\nnamespaces = 'a'",
         "FILE:3:14: 'namespaces' is a string; expected " + namespaces},
        {"[[engine]]\ntype = 'containerd'\nnamespaces = ['a', 1]",
         "FILE:3:20: 'namespaces' is an integer; expected " + namespaces},
        {"[[engine]]\ntype = 'containerd'\nnamespaces = ['a', '']",
         "FILE:3:20: '' can't be the name of a namespace; expected " + namespace_name},
        {"[[engine]]\ntype = 'containerd'\nnamespaces = ['a--b']",
         "FILE:3:15: 'a--b' can't be the name of a namespace; expected " + namespace_name},
        {"[[engine]]\ntype = 'containerd'\nnamespaces = ['a.']",
         "FILE:3:15: 'a.' can't be the name of a namespace; expected " + namespace_name},
        {"[[engine]]\ntype = 'containerd'\nnamespaces = ['" + std::string(77, 'x') + "']",
         "FILE:3:15: '" + std::string(77, 'x') + "' can't be the name of a namespace; expected " +
             namespace_name},
        {"[[engine]]\ntype = 'containerd'\nendpoint = 'tcp://h:1'",
         "FILE:3:12: an engine of type 'containerd' can't be watched at 'tcp://h:1'; expected its unix "
         "socket, as in endpoint = \"unix:///run/engine.sock\""},
        {"[[engine]]\ntype = 'cri'\nendpoint = 'tcp://h:1'",
         "FILE:3:12: an engine of type 'cri' can't be watched at 'tcp://h:1'; expected its unix "
         "socket, as in endpoint = \"unix:///run/engine.sock\""},
        // TLS.
        {"[[engine]]\nendpoint = '/s'\ntls.ca = '/c'",
         "FILE:3:1: tls, but the endpoint is '/s' (FILE:2:12); expected " + tls_endpoint},
        {"[[engine]]\nendpoint = 'http://h'\n[engine.tls]",
         "FILE:3:9: tls, but the endpoint is 'http://h' (FILE:2:12); expected " + tls_endpoint},
        {"[[engine]]\ntls = {}",
         "FILE:2:1: tls, but the endpoint is 'unix:///run/docker.sock' by default; expected " + tls_endpoint},
        {"[[engine]]\nendpoint = 'tcp://h'\ntls = { certificate = '/c' }",
         "FILE:3:9: 'certificate' without 'key'; expected both or neither"},
        {"[[engine]]\nendpoint = 'tcp://h'\ntls = { ca = '/a', key = '/k' }",
         "FILE:3:20: 'key' without 'certificate'; expected both or neither"},
        {"[[engine]]\ntls.ca = 'ca.pem'", "FILE:2:10: 'ca.pem' is no absolute path; expected " + pem},
        {"[[engine]]\ntls.ca = ''", "FILE:2:10: '' is no absolute path; expected " + pem},
        {"[[engine]]\ntls.key = \"/a\\u0000b\"", "FILE:2:11: '/a\\x00b' holds a NUL; expected " + pem},
        {"[[engine]]\ntls.key = '/" + std::string(4095, 'x') + "'",
         "FILE:2:11: '/" + std::string(99, 'x') + "…' is too long; expected " + pem},
    };
    for (const Case& one : cases) {
        CAPTURE(one.text);
        CHECK(error_of(one.text) == one.error);
    }
}

TEST_CASE("of several mistakes the first in the file is told") {
    CHECK(error_of("[[engine]]\nzzz = 1\naaa = 1\n").starts_with("FILE:2:1: unknown key 'zzz'"));
    CHECK(error_of("[[engine]]\nname = 1\naaa = 1\n").starts_with("FILE:2:8: 'name' is"));
}

TEST_CASE("what is not TOML is told by its place") {
    const auto place_of = [](std::string_view text) {
        const std::string error = error_of(text);
        CAPTURE(error);
        CHECK(error.ends_with("; expected TOML 1.0, see https://toml.io"));
        return error.substr(0, error.find(": "));
    };
    CHECK(place_of("[[engine]]\nname = \n") == "FILE:2:8");
    CHECK(place_of("[[engine]]\nname = 'a\n") == "FILE:2:10");
    CHECK(place_of("[[engine]]\nname = 'a'\nname = 'b'") == "FILE:3:8");
    CHECK(place_of("[[engine]\n") == "FILE:1:10");
    CHECK(place_of("[[engine]]\n'\x1b[31m' = 1") == "FILE:2:2");
    // Of bytes that are not UTF-8, the character before them is told.
    CHECK(place_of("# \xFF") == "FILE:1:2");
    CHECK(place_of("# 3456789 123456789 123456789 123456789 \xC3\n") == "FILE:1:40");
    CHECK(place_of(std::string("a = '\0'", 7)) == "FILE:1:6");
    CHECK(place_of("\xFF\xFE[\0[\0") == "FILE:1:1");
    CHECK(place_of("\x7F"
                   "ELF") == "FILE:1:1");
}

TEST_CASE("mistakes in drop-ins name the drop-in") {
    const Files files;
    Files::write(files.main_file(), "[[engine]]\nendpoint = '/s'\n");
    Files::write(files.drop_in("1.toml"), "[[engine]]\n\n  tls.ca = '/c'\n");
    CHECK(files.error() ==
          "DIR/1.toml:3:3: tls, but the endpoint is '/s' (FILE:2:12); expected a tcp:// or https:// "
          "endpoint, or no tls");
    Files::write(files.drop_in("1.toml"), "[[engine]]\nnam = 1");
    CHECK(files.error().starts_with("DIR/1.toml:2:1: unknown key 'nam'"));
}

TEST_CASE("text that nests without end is refused before it can do harm") {
    const auto repeated = [](std::string_view part, std::size_t times) {
        std::string text;
        for (std::size_t i = 0; i < times; ++i)
            text += part;
        return text;
    };
    const std::string expected =
        ": nested too deeply; expected at most 16 brackets open at a time, and 16 dots in a key";
    CHECK(error_of("a" + repeated(".a", 500'000) + " = 1") == "FILE:1:34" + expected);
    CHECK(error_of("\n[a" + repeated(" . ä", 200'000) + "]") == "FILE:2:68" + expected);
    CHECK(error_of("a = " + repeated("[", 1'000'000)) == "FILE:1:21" + expected);
    CHECK(error_of("a = " + repeated("{a=", 300'000)) == "FILE:1:53" + expected);
    CHECK(error_of("# [\n'\"' = \"\"\"\n\\\"\"\"\"\"\na" + repeated(".a", 500'000)) ==
          "FILE:4:34" + expected);
}

TEST_CASE("what is in strings and comments does not nest") {
    const std::string dots(100, '.');
    const std::string brackets(100, '[');
    const std::string deep = dots + brackets;
    for (const std::string& text :
         std::vector<std::string>{"# " + deep, "a = '" + deep + "'", "a = \"\\\"" + deep + "\"",
                                  "a = '\\' # " + deep, "a = '''\n'" + deep + "''" + deep + "'''''",
                                  "a = \"\"\"\\\"\"" + deep + "\n\"" + deep + "\"\"\"\"",
                                  "a = ['''x''''', \"\"\"x\"\"\"\"\", '', \"\", '" + deep + "']"}) {
        CAPTURE(text);
        CHECK_FALSE(config::too_deep(text));
    }
    // Just after a string, the next thing counts again.
    for (const char* string : {"''", "'x'", "\"\"", "\"\\\\\"", "''''''", "'''x'''", "'''x''''", "'''x'''''",
                               "\"\"\"x\"\"\"\"\"", "\"\"\"\\\"\"\"\""}) {
        CAPTURE(string);
        CHECK(config::too_deep("a = [" + std::string(string) + ", " + brackets));
    }
}

TEST_CASE("whatever becomes of a file, it is read or it is one line of error") {
    const std::string good =
        "# ä\n[[engine]]\nname = \"a\"\nendpoint = 'tcp://[::1]:7'\nenabled = true\n"
        "[engine.tls]\nca = '''/ca'''\ncertificate = \"/c\\u00e4\"\nkey = \"\"\"\n/k\"\"\"\n"
        "[[engine]]\nname = 'b'\n";
    const auto is_read_or_told = [](const std::string& text) {
        const std::string error = error_of(text);
        CAPTURE(text);
        if (error == "no error") return;
        CHECK(error.starts_with("FILE:"));
        CHECK(error.find("; expected ") != std::string::npos);
        CHECK(
            std::none_of(error.begin(), error.end(), [](unsigned char c) { return c < 0x20 || c == 0x7F; }));
    };
    REQUIRE(error_of(good) == "no error");
    for (std::size_t at = 0; at < good.size(); ++at) {
        is_read_or_told(good.substr(0, at));
        is_read_or_told(good.substr(at));
        for (const char c : {'\0', '\xFF', '\n', '"', '\'', '[', '}', '.', '=', '\\'}) {
            std::string text = good;
            text[at] = c;
            is_read_or_told(text);
        }
    }
}
