// The configuration: what it says, how its files merge, and that every mistake is told by its place.
#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "daemon/config_nesting.h"
#include "daemon/configuration.h"
#include "engines/support/unique_fd.h"
#include "tests/unit/catch.h"

using namespace shorewatch;
namespace fs = std::filesystem;

namespace {

constexpr std::array<std::string_view, 5> known_types = {"containerd", "cri", "docker", "other", "podman"};
constexpr std::string_view readable = "a regular file of at most 1 MiB that the daemon may read";

// A folder for shorewatch.toml and its drop-ins; anybody may enter it.
class Files {
  public:
    Files() {
        std::string name = (fs::temp_directory_path() / "shorewatch-configuration-XXXXXX").native();
        REQUIRE(::mkdtemp(name.data()) != nullptr);
        folder_ = name;
        fs::permissions(folder_, fs::perms(0755));
    }
    ~Files() {
        std::error_code ignored;
        fs::remove_all(folder_, ignored);
    }
    Files(const Files&) = delete;
    Files& operator=(const Files&) = delete;

    [[nodiscard]] fs::path main_file() const { return folder_ / "shorewatch.toml"; }
    [[nodiscard]] fs::path drop_in(std::string_view name) const {
        fs::create_directories(folder_ / "shorewatch.toml.d");
        return folder_ / "shorewatch.toml.d" / name;
    }

    static void write(const fs::path& path, std::string_view text) {
        std::ofstream out(path, std::ios::binary);
        out << text;
        REQUIRE(out.flush());
    }

    [[nodiscard]] Configuration read(bool must_exist = true, bool user = false) const {
        return read_configuration(main_file(), must_exist, user, known_types);
    }

    // The message of the ConfigurationError, with FILE for the main file and DIR for its folder of drop-ins.
    [[nodiscard]] std::string error(bool must_exist = true) const {
        try {
            static_cast<void>(read(must_exist));
        } catch (const ConfigurationError& error) {
            std::string text = error.what();
            replace(text, main_file().native() + ".d", "DIR");
            replace(text, main_file().native(), "FILE");
            return text;
        }
        return "no error";
    }

  private:
    static void replace(std::string& text, const std::string& from, std::string_view to) {
        for (std::size_t at = text.find(from); at != std::string::npos; at = text.find(from)) {
            text.replace(at, from.size(), to);
        }
    }

    fs::path folder_;
};

Configuration read(std::string_view text, bool user = false) {
    const Files files;
    Files::write(files.main_file(), text);
    return files.read(true, user);
}

std::string error_of(std::string_view text) {
    const Files files;
    Files::write(files.main_file(), text);
    return files.error();
}

// Sets a variable of the environment, or takes it away, as long as it lives.
class Environment {
  public:
    Environment(const char* name, const char* value) : name_(name) {
        if (const char* before = std::getenv(name)) before_ = before;
        value == nullptr ? ::unsetenv(name) : ::setenv(name, value, 1);
    }
    ~Environment() { before_ ? ::setenv(name_, before_->c_str(), 1) : ::unsetenv(name_); }
    Environment(const Environment&) = delete;
    Environment& operator=(const Environment&) = delete;

  private:
    const char* name_;
    std::optional<std::string> before_;
};

// Root may read everything: be somebody else as long as it lives.
class NotRoot {
  public:
    NotRoot() {
        if (was_root_) REQUIRE(::seteuid(65534) == 0);
    }
    ~NotRoot() {
        if (was_root_ && ::seteuid(0) != 0) std::abort();
    }
    NotRoot(const NotRoot&) = delete;
    NotRoot& operator=(const NotRoot&) = delete;

  private:
    bool was_root_ = ::geteuid() == 0;
};

}  // namespace

TEST_CASE("an engine is what its table says") {
    const auto engines = read(R"(
        [[engine]]
        name = "here"
        endpoint = "unix:///run/here.sock"

        [[engine]]
        name = "there"
        type = "other"
        endpoint = "tcp://there.example"
        enabled = false

        [[engine]]
        name = "far"
        endpoint = "tcp://[2001:db8::1]"
        tls = { ca = "/tls/ca.pem", certificate = "/tls/cert.pem", key = "/tls/key.pem" }
    )")
                             .engines;
    REQUIRE(engines.size() == 3);
    CHECK(engines[0] == EngineConfiguration{"here", "docker", Endpoint::parse("/run/here.sock"), true});
    CHECK(engines[1] ==
          EngineConfiguration{"there", "other", Endpoint::parse("tcp://there.example:2375"), false});
    Endpoint far = Endpoint::parse("https://[2001:db8::1]:2376");
    far.tls = {"/tls/ca.pem", "/tls/cert.pem", "/tls/key.pem"};
    CHECK(engines[2] == EngineConfiguration{"far", "docker", far, true});
}

TEST_CASE("an engine that says nothing is Docker on its usual socket") {
    const auto engines = read("[[engine]]").engines;
    REQUIRE(engines.size() == 1);
    CHECK(engines[0] == EngineConfiguration{"docker", "docker", Endpoint::parse("/run/docker.sock"), true});
}

TEST_CASE("containerd has a usual socket, and namespaces that can be chosen") {
    const auto plain = read("[[engine]]\ntype = 'containerd'").engines;
    REQUIRE(plain.size() == 1);
    CHECK(plain[0] == EngineConfiguration{"containerd", "containerd",
                                          Endpoint::parse("/run/containerd/containerd.sock"), true});
    const auto chosen =
        read("[[engine]]\ntype = 'containerd'\nnamespaces = ['k8s.io', 'default', 'k8s.io', 'a-b_c.d9']")
            .engines;
    REQUIRE(chosen.size() == 1);
    CHECK(chosen[0].namespaces == std::vector<std::string>{"k8s.io", "default", "a-b_c.d9"});
    CHECK(read("[[engine]]\ntype = 'containerd'\nnamespaces = []").engines == plain);
    // A rootless containerd listens within namespaces of its own.
    CHECK_THROWS_AS(read("[[engine]]\ntype = 'containerd'", true), ConfigurationError);
}

TEST_CASE("a drop-in replaces all namespaces of an engine, or leaves them alone") {
    const Files files;
    Files::write(files.main_file(), "[[engine]]\ntype = 'containerd'\nnamespaces = ['a', 'b']");
    Files::write(files.drop_in("1.toml"), "[[engine]]\nname = 'containerd'\nenabled = false");
    CHECK(files.read().engines.at(0).namespaces == std::vector<std::string>{"a", "b"});
    Files::write(files.drop_in("2.toml"), "[[engine]]\nname = 'containerd'\nnamespaces = ['c']");
    CHECK(files.read().engines.at(0).namespaces == std::vector<std::string>{"c"});
    Files::write(files.drop_in("3.toml"), "[[engine]]\nname = 'containerd'\nnamespaces = []");
    CHECK(files.read().engines.at(0).namespaces.empty());
}

TEST_CASE("an engine without a name is named after its type") {
    const auto engines = read("[[engine]]\ntype = \"other\"\nendpoint = \"/x\"").engines;
    REQUIRE(engines.size() == 1);
    CHECK(engines[0].name == "other");
}

TEST_CASE("engines may be written in any form that TOML has for tables") {
    const Configuration expected = read(
        "[[engine]]\nname = \"a\"\nendpoint = \"tcp://h\"\ntls = { ca = \"/c\" }\n"
        "[[engine]]\nname = \"b\"\n");
    CHECK(expected == read("engine = [{name = 'a', endpoint = 'tcp://h', tls.ca = '/c'}, {name = 'b'}]"));
    CHECK(expected == read("[[engine]]\r\nname='a'\r\nendpoint='tcp://h'\r\n[engine.tls]\r\nca='/"
                           "c'\r\n[[engine]]\r\nname='b'"));
    CHECK(expected == read("\xEF\xBB\xBF[[engine]]\n\"na\\u006de\" = '''a'''\nendpoint = "
                           "\"\"\"\ntcp://h\"\"\"\ntls.ca = '/c'\n"
                           "[['engine']] # \xC3\xA4\nname = 'b'"));
}

TEST_CASE("tls is what makes tcp:// TLS; https:// always is") {
    const auto transport = [](std::string_view keys) {
        const auto engines = read("[[engine]]\n" + std::string(keys)).engines;
        REQUIRE(engines.size() == 1);
        return engines[0].endpoint.transport;
    };
    CHECK(transport("endpoint = 'tcp://h'") == Endpoint::Transport::tcp);
    CHECK(transport("endpoint = 'tcp://h'\ntls = {}") == Endpoint::Transport::tls);
    CHECK(transport("endpoint = 'https://h'") == Endpoint::Transport::tls);
    CHECK(transport("endpoint = 'https://h'\ntls.ca = '/c'") == Endpoint::Transport::tls);
}

TEST_CASE("with no engine in any file, engines are discovered") {
    const Configuration all{.engines = {}, .discover = true, .discover_users = true};
    CHECK(read("") == all);
    CHECK(read("# nothing\n") == all);
    CHECK(read("engine = []") == all);
    CHECK(Files().read(false) == all);
    const Configuration own{.engines = {}, .discover = true, .discover_users = false};
    CHECK(read("", true) == own);
}

TEST_CASE("engines that are only switched off leave the others to be discovered") {
    const Configuration off = read("[[engine]]\nenabled = false");
    REQUIRE(off.engines.size() == 1);
    CHECK_FALSE(off.engines[0].enabled);
    CHECK(off.discover);
}

TEST_CASE("who names an engine wants that one, unless a file says otherwise") {
    CHECK_FALSE(read("[[engine]]").discover);
    CHECK_FALSE(read("[[engine]]\n[[engine]]\nname = 'other'\nenabled = false").discover);
    const Configuration both = read("discover = true\n[[engine]]");
    CHECK(both.discover);
    CHECK(both.discover_users);
    CHECK_FALSE(read("discover = false").discover);
    CHECK_FALSE(read("discover = false\ndiscover_users = true").discover_users);
    const Configuration system = read("discover_users = false");
    CHECK(system.discover);
    CHECK_FALSE(system.discover_users);
}

TEST_CASE("of several files, the last that says so decides on discovery") {
    const Files files;
    Files::write(files.main_file(), "discover = false");
    Files::write(files.drop_in("10.toml"), "discover = true");
    Files::write(files.drop_in("20.toml"), "discover_users = false");
    CHECK(files.read().discover);
    CHECK_FALSE(files.read().discover_users);
}

TEST_CASE("a user's default is rootless Docker") {
    {
        const Environment runtime("XDG_RUNTIME_DIR", "/run/user/7");
        CHECK(runtime_folder() == "/run/user/7");
        CHECK(read("[[engine]]\nname = 'mine'", true).engines.at(0).endpoint.url() ==
              "unix:///run/user/7/docker.sock");
        CHECK(read("[[engine]]").engines.at(0).endpoint.url() == "unix:///run/docker.sock");
        CHECK(read("[[engine]]\ntype = 'podman'", true).engines.at(0).endpoint.url() ==
              "unix:///run/user/7/podman/podman.sock");
        CHECK(read("[[engine]]\ntype = 'cri'").engines.at(0).endpoint.url() == "unix:///run/crio/crio.sock");
        CHECK(read("[[engine]]\ntype = 'podman'").engines.at(0).endpoint.url() ==
              "unix:///run/podman/podman.sock");
    }
    const std::string by_uid = "unix:///run/user/" + std::to_string(::getuid()) + "/docker.sock";
    for (const char* useless : {static_cast<const char*>(nullptr), "", "relative"}) {
        const Environment runtime("XDG_RUNTIME_DIR", useless);
        CHECK(read("[[engine]]", true).engines.at(0).endpoint.url() == by_uid);
    }
    const Environment runtime("XDG_RUNTIME_DIR", ("/" + std::string(200, 'x')).c_str());
    CHECK_THROWS_AS(read("[[engine]]", true), ConfigurationError);
}

TEST_CASE("a user's configuration is where the XDG folders say") {
    CHECK(default_configuration_file(false) == "/etc/shorewatch/shorewatch.toml");
    const Environment home("HOME", "/home/me");
    {
        const Environment config("XDG_CONFIG_HOME", "/elsewhere");
        CHECK(default_configuration_file(true) == "/elsewhere/shorewatch/shorewatch.toml");
        CHECK(default_configuration_file(false) == "/etc/shorewatch/shorewatch.toml");
    }
    for (const char* useless : {static_cast<const char*>(nullptr), "", "relative"}) {
        const Environment config("XDG_CONFIG_HOME", useless);
        CHECK(default_configuration_file(true) == "/home/me/.config/shorewatch/shorewatch.toml");
        const Environment homeless("HOME", useless);
        CHECK_THROWS_AS(default_configuration_file(true), ConfigurationError);
    }
}

TEST_CASE("a drop-in changes the keys it names, and leaves the others") {
    const Files files;
    Files::write(files.main_file(),
                 "[[engine]]\nname = 'a'\nendpoint = 'tcp://h'\ntls.ca = '/ca'\n[[engine]]\nname = 'b'\n");
    Files::write(files.drop_in("10.toml"), "[[engine]]\nname = 'b'\nenabled = false\n");
    Files::write(files.drop_in("20.toml"), "[[engine]]\nname = 'a'\nendpoint = 'tcp://other'\n");
    const auto engines = files.read().engines;
    REQUIRE(engines.size() == 2);
    CHECK(engines[0].endpoint.url() == "https://other:2376");
    CHECK(engines[0].endpoint.tls.ca == "/ca");
    CHECK(engines[0].enabled);
    CHECK(engines[1].endpoint.url() == "unix:///run/docker.sock");
    CHECK_FALSE(engines[1].enabled);
}

TEST_CASE("a drop-in that sets tls sets all of it") {
    const Files files;
    Files::write(files.main_file(),
                 "[[engine]]\nendpoint = 'tcp://h'\ntls = {certificate = '/c', key = '/k'}\n");
    Files::write(files.drop_in("10.toml"), "[[engine]]\ntls.ca = '/ca'\n");
    CHECK(files.read().engines.at(0).endpoint.tls == TlsFiles{"/ca", "", ""});
}

TEST_CASE("a drop-in of a name not known adds an engine") {
    const Files files;
    Files::write(files.main_file(), "[[engine]]\nname = 'a'\n");
    Files::write(files.drop_in("10.toml"),
                 "[[engine]]\nname = 'b'\n[[engine]]\nname = 'a'\nenabled = false\n");
    const auto engines = files.read().engines;
    REQUIRE(engines.size() == 2);
    CHECK(engines[0].name == "a");
    CHECK_FALSE(engines[0].enabled);
    CHECK(engines[1].name == "b");
}

TEST_CASE("an engine keeps the name it got from its type when a drop-in changes the type") {
    const Files files;
    Files::write(files.main_file(), "[[engine]]\nendpoint = '/x'\n");
    Files::write(files.drop_in("10.toml"), "[[engine]]\nname = 'docker'\ntype = 'other'\n");
    Files::write(files.drop_in("20.toml"), "[[engine]]\nenabled = false\n");
    const auto engines = files.read().engines;
    REQUIRE(engines.size() == 1);
    CHECK(engines[0] == EngineConfiguration{"docker", "other", Endpoint::parse("/x"), false});
}

TEST_CASE("drop-ins are read in the order of their names, with or without the main file") {
    const Files files;
    Files::write(files.drop_in("9.toml"), "[[engine]]\nendpoint = '/nine'\n");
    Files::write(files.drop_in("10.toml"), "[[engine]]\nendpoint = '/ten'\n");
    CHECK(files.read(false).engines.at(0).endpoint.socket_path == "/nine");
    Files::write(files.drop_in("Z.toml"), "[[engine]]\nendpoint = '/capital'\n");
    Files::write(files.drop_in("a.toml"), "[[engine]]\nendpoint = '/small'\n");
    CHECK(files.read(false).engines.at(0).endpoint.socket_path == "/small");
}

TEST_CASE("only *.toml are drop-ins, and hidden files are none") {
    const Files files;
    Files::write(files.main_file(), "");
    Files::write(files.drop_in("10.toml~"), "rubbish");
    Files::write(files.drop_in("README"), "rubbish");
    Files::write(files.drop_in(".10.toml"), "rubbish");
    fs::create_symlink("nobody@nowhere:1", files.drop_in(".#10.toml"));
    fs::create_directory(files.drop_in("sub"));
    CHECK(files.read() == read(""));
}

TEST_CASE("a mistake is told by file, line and column, with what was expected") {
    const std::string name =
        "1 to 64 characters of A-Z, a-z, 0-9, '_', '.' and '-', the first a letter or digit";
    const std::string pem = "the absolute path of a PEM file, of at most 4095 bytes";
    const std::string any_endpoint = "unix:///path/to/socket, tcp://host:port or https://host:port";
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
         "'engine'"},
        {"discover = 'maybe'", "FILE:1:12: 'discover' is a string; expected true or false"},
        {"[discover_users]\n", "FILE:1:1: 'discover_users' is a table; expected true or false"},
        {"[[engine]]\nname = 'a'\nnmae = 'b'",
         "FILE:3:1: unknown key 'nmae' in [[engine]]; expected one of 'name', 'type', 'endpoint', 'enabled', "
         "'tls', 'namespaces'"},
        {"[[engine]]\nendpoint = 'tcp://h'\ntls = { ca = '/c', verify = false }",
         "FILE:3:20: unknown key 'verify' in tls; expected one of 'ca', 'certificate', 'key'"},
        {"[[engine]]\n\"\\u0000\\u001b[31m\" = 1",
         "FILE:2:1: unknown key '\\x00\\x1b[31m' in [[engine]]; expected one of 'name', 'type', 'endpoint', "
         "'enabled', 'tls', 'namespaces'"},
        {"[[engine]]\n" + std::string(300, 'k') + " = 1",
         "FILE:2:1: unknown key '" + std::string(100, 'k') +
             "…' in [[engine]]; expected one of 'name', 'type', 'endpoint', 'enabled', 'tls', 'namespaces'"},
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

TEST_CASE("there is a limit to how many engines there may be, over all files") {
    const Files files;
    std::string text;
    for (std::size_t i = 0; i < most_engines; ++i)
        text += "[[engine]]\nname = 'e" + std::to_string(i) + "'\n";
    Files::write(files.main_file(), text);
    Files::write(files.drop_in("1.toml"), "[[engine]]\nname = 'e7'\nenabled = false\n");
    CHECK(files.read().engines.size() == most_engines);
    Files::write(files.drop_in("2.toml"), "\n[[engine]]\nname = 'straw'\n");
    CHECK(files.error() == "DIR/2.toml:2:1: this is engine number 257; expected at most 256 engines");
}

TEST_CASE("a file that was asked for must exist") {
    const Files files;
    CHECK(files.error() == "FILE: there is no such file; expected the configuration");
    CHECK(files.error(false) == "no error");
}

TEST_CASE("what stands in place of a file is named, and never waited for") {
    const Files files;
    const fs::path file = files.main_file();
    const std::string expected = "; expected " + std::string(readable);
    SECTION("a folder") {
        fs::create_directory(file);
        CHECK(files.error(false) == "FILE: is a folder" + expected);
    }
    SECTION("a fifo that nobody writes to") {
        REQUIRE(::mkfifo(file.c_str(), 0600) == 0);
        CHECK(files.error(false) == "FILE: is a fifo" + expected);
    }
    SECTION("a socket") {
        const UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        REQUIRE(file.native().size() < sizeof address.sun_path);
        std::copy(file.native().begin(), file.native().end(), address.sun_path);
        REQUIRE(::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
        CHECK(files.error(false) == "FILE: is a socket" + expected);
    }
    SECTION("a device that never ends") {
        fs::create_symlink("/dev/zero", file);
        CHECK(files.error(false) == "FILE: is a device" + expected);
    }
    SECTION("a symlink to nowhere") {
        fs::create_symlink("nowhere", file);
        CHECK(files.error(false) == "FILE: is a symlink to a file that doesn't exist" + expected);
    }
    SECTION("a symlink to itself") {
        fs::create_symlink("shorewatch.toml", file);
        CHECK(files.error(false) == "FILE: can't be read: Too many levels of symbolic links" + expected);
    }
    SECTION("a file that may not be read") {
        Files::write(file, "");
        fs::permissions(file, fs::perms::none);
        const NotRoot not_root;
        CHECK(files.error(false) == "FILE: can't be read: Permission denied" + expected);
    }
    SECTION("a drop-in that is a folder") {
        fs::create_directory(files.drop_in("1.toml"));
        CHECK(files.error(false) == "DIR/1.toml: is a folder" + expected);
    }
    SECTION("a file in a file") {
        Files::write(file, "");
        try {
            static_cast<void>(read_configuration(file / "shorewatch.toml", false, false, known_types));
            FAIL("no error");
        } catch (const ConfigurationError& error) {
            CHECK(std::string(error.what()).ends_with("can't be read: Not a directory" + expected));
        }
    }
}

TEST_CASE("a symlink to a file is as good as the file") {
    const Files files;
    Files::write(files.drop_in("real"), "[[engine]]\nname = 'linked'\n");
    fs::create_symlink("shorewatch.toml.d/real", files.main_file());
    CHECK(files.read().engines.at(0).name == "linked");
}

TEST_CASE("a file has at most 1 MiB") {
    const Files files;
    std::string text = "[[engine]]\nname = 'a'\n";
    text.resize(1024 * 1024, '\n');
    Files::write(files.main_file(), text);
    CHECK(files.read().engines.at(0).name == "a");
    Files::write(files.main_file(), text + "\n");
    CHECK(files.error() == "FILE: is larger than 1 MiB; expected " + std::string(readable));
}

TEST_CASE("the folder of drop-ins holds at most 1000 of them, and must be a folder") {
    const Files files;
    const std::string expected = "; expected a folder of at most 1000 *.toml that the daemon may read";
    for (int i = 0; i < 1000; ++i)
        Files::write(files.drop_in(std::to_string(i) + ".toml"), "");
    CHECK(files.read(false) == read(""));
    Files::write(files.drop_in("straw.toml"), "");
    CHECK(files.error(false) == "DIR: holds more than 1000 *.toml" + expected);

    const Files others;
    Files::write(others.main_file().native() + ".d", "");
    CHECK(others.error(false) == "DIR: can't be read: Not a directory" + expected);

    const Files locked;
    fs::permissions(locked.drop_in("1.toml").parent_path(), fs::perms::none);
    const NotRoot not_root;
    CHECK(locked.error(false) == "DIR: can't be read: Permission denied" + expected);
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
