// The configuration: what its files say, and what holds when they say nothing.
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <unistd.h>

#include "daemon/configuration.h"
#include "tests/unit/catch.h"
#include "tests/unit/configuration_files.h"

using namespace shorewatch;
using namespace shorewatch::testing;

namespace {

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

TEST_CASE("tasks are as [tasks] says, and their folder is beside the file unless it says otherwise") {
    const TasksConfiguration none = read("").tasks;
    CHECK(none.folder == "beside");
    CHECK_FALSE(none.enabled);
    CHECK(none.cleanup_after == std::chrono::hours(3));
    const TasksConfiguration tasks = read(
                                         "[tasks]\nenabled = true\nengine = 'podman'\nfolder = '/t'\n"
                                         "credentials = '/c'\ncleanup_after = '90s'")
                                         .tasks;
    CHECK(tasks == TasksConfiguration{true, "podman", "/t", "/c", std::chrono::seconds(90)});
    const auto cleanup_after = [](const std::string& text) {
        return read("[tasks]\ncleanup_after = '" + text + "'").tasks.cleanup_after;
    };
    CHECK(cleanup_after("15m") == std::chrono::minutes(15));
    CHECK(cleanup_after("0h") == std::chrono::hours(0));
    CHECK(cleanup_after("366d") == std::chrono::hours(24 * 366));
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

TEST_CASE("who may listen at a socket is root, or its folder's user, or whom the engine's table names") {
    const auto user_of = [](const std::string& table) {
        return read("[[engine]]\n" + table).engines.at(0).endpoint.user;
    };
    CHECK(user_of("endpoint = '/run/docker.sock'") == std::nullopt);
    CHECK(user_of("endpoint = '/run/user/1000/docker.sock'") == 1000U);
    CHECK(user_of("endpoint = '/run/user/1000x/docker.sock'") == std::nullopt);
    CHECK(user_of("endpoint = '/run/user/1000'") == std::nullopt);
    CHECK(user_of("endpoint = '/run/user/99999999999/docker.sock'") == std::nullopt);
    CHECK(user_of("endpoint = '/srv/docker.sock'\nuser = '1001'") == 1001U);
    CHECK(user_of("endpoint = '/run/user/1000/docker.sock'\nuser = 'root'") == 0U);
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
    // But for the folder of tasks, which is beside the file.
    const auto with_folder_of = [](const Configuration& read, Configuration wanted) {
        wanted.tasks.folder = read.tasks.folder;
        return wanted;
    };
    const Configuration all{.engines = {}, .discover = true, .discover_users = true};
    for (const Configuration& found :
         {read(""), read("# nothing\n"), read("engine = []"), Files().read(false)})
        CHECK(found == with_folder_of(found, all));
    const Configuration own{.engines = {}, .discover = true, .discover_users = false};
    const Configuration found = read("", true);
    CHECK(found == with_folder_of(found, own));
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

TEST_CASE("engines in containers are looked for where that is asked for, whatever is named") {
    CHECK_FALSE(read("").discover_nested);
    CHECK_FALSE(read("discover = true").discover_nested);
    for (const char* text : {"discover = 'deep'", "discover = 'deep'\n[[engine]]"}) {
        CHECK(read(text).discover);
        CHECK(read(text).discover_nested);
        CHECK(read(text).discover_users);
    }
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
