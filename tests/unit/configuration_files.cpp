#include "tests/unit/configuration_files.h"

#include <cstdlib>
#include <fstream>
#include <system_error>

#include "tests/unit/catch.h"

namespace shorewatch::testing {

namespace fs = std::filesystem;

namespace {

void replace(std::string& text, const std::string& from, std::string_view to) {
    for (std::size_t at = text.find(from); at != std::string::npos; at = text.find(from)) {
        text.replace(at, from.size(), to);
    }
}

}  // namespace

Files::Files() {
    fs::permissions(folder_.path(), fs::perms(0755));
}

fs::path Files::main_file() const {
    return folder_.path() / "shorewatch.toml";
}

fs::path Files::drop_in(std::string_view name) const {
    fs::create_directories(folder_.path() / "shorewatch.toml.d");
    return folder_.path() / "shorewatch.toml.d" / name;
}

void Files::write(const fs::path& path, std::string_view text) {
    std::ofstream out(path, std::ios::binary);
    out << text;
    REQUIRE(out.flush());
}

Configuration Files::read(bool must_exist, bool user) const {
    Configuration configuration = read_configuration(main_file(), must_exist, user, known_types);
    // Beside the file, which is another one each time.
    if (configuration.tasks.folder == folder_.path() / "tasks.d") configuration.tasks.folder = "beside";
    return configuration;
}

std::string Files::error(bool must_exist) const {
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

Configuration read(std::string_view text, bool user) {
    const Files files;
    Files::write(files.main_file(), text);
    return files.read(true, user);
}

std::string error_of(std::string_view text) {
    const Files files;
    Files::write(files.main_file(), text);
    return files.error();
}

}  // namespace shorewatch::testing
