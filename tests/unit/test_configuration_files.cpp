// The configuration's files: how they merge, how many and how large they may be, and what may stand in their
// place.
#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "daemon/configuration.h"
#include "engines/support/unique_fd.h"
#include "tests/unit/catch.h"
#include "tests/unit/configuration_files.h"

using namespace shorewatch;
using namespace shorewatch::testing;
namespace fs = std::filesystem;

namespace {

constexpr std::string_view readable = "a regular file of at most 1 MiB that the daemon may read";

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

TEST_CASE("of several files, the last that says so decides on discovery") {
    const Files files;
    Files::write(files.main_file(), "discover = false");
    Files::write(files.drop_in("10.toml"), "discover = true");
    Files::write(files.drop_in("20.toml"), "discover_users = false");
    CHECK(files.read().discover);
    CHECK_FALSE(files.read().discover_users);
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
