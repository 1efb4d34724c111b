// The configuration's file and a drop-in of it, as an administrator may have mistyped them.
#include "daemon/configuration.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

#include "daemon/config_section.h"
#include "tests/fakes/temporary_folder.h"
#include "tests/fuzz/expect.h"

using namespace shorewatch;
using namespace shorewatch::fuzz;

namespace {

constexpr std::array<std::string_view, 4> types{"docker", "podman", "containerd", "cri"};
// Between the file and the drop-in.
constexpr std::string_view divider = "\n####\n";

void write(const std::filesystem::path& file, std::string_view text) {
    std::ofstream(file, std::ios::binary | std::ios::trunc) << text;
}

bool is_name(std::string_view text) {
    constexpr std::string_view letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    return !text.empty() && text.size() <= 64 && letters.find(text.front()) != std::string_view::npos &&
           text.find_first_not_of(std::string(letters) + "_.-") == std::string_view::npos;
}

void expect_configuration(const Configuration& configuration) {
    expect(configuration.engines.size() <= most_engines, "there are not too many engines");
    for (const EngineConfiguration& engine : configuration.engines) {
        expect(is_name(engine.name), "engines have names that can be in paths");
        expect(std::ranges::count(configuration.engines, engine.name, &EngineConfiguration::name) == 1,
               "each name is there once");
        expect(std::ranges::find(types, engine.type) != types.end(), "engines are of known types");
        const bool local = engine.endpoint.is_local();
        expect(local ? engine.endpoint.socket_path.starts_with('/') : !engine.endpoint.host.empty(),
               "engines have an endpoint");
        expect(engine.endpoint.tls.certificate.empty() == engine.endpoint.tls.key.empty(),
               "certificates have keys");
        expect(engine.namespaces.empty() || engine.type == "containerd", "namespaces are containerd's");
    }
    expect(configuration.discover || !(configuration.discover_users || configuration.discover_nested),
           "nobody is looked for without the others");
    expect(configuration.tasks.folder.is_absolute(), "the folder of tasks is somewhere");
    expect(configuration.tasks.engine.empty() || is_name(configuration.tasks.engine), "tasks have an engine");
    expect(configuration.tasks.cleanup_after.count() >= 0, "cleaning up comes after");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const fakes::TemporaryFolder folder;
    static const std::filesystem::path file = folder.path() / "shorewatch.toml";
    static const std::filesystem::path drop_in = folder.path() / "shorewatch.toml.d" / "10.toml";
    const std::string_view text = text_of(data, size);
    const std::size_t at = text.find(divider);
    write(file, text.substr(0, at));
    std::filesystem::create_directory(drop_in.parent_path());
    write(drop_in, at == std::string_view::npos ? "" : text.substr(at + divider.size()));
    try {
        const Configuration configuration = read_configuration(file, true, size % 2 == 1, types);
        expect_configuration(configuration);
        expect(read_configuration(file, true, size % 2 == 1, types) == configuration,
               "what is read again is the same");
    } catch (const ConfigurationError& error) {
        expect_line(error.what(), "what is wrong is one line");
        expect(std::string_view(error.what()).starts_with(folder.path().native()), "it names the file");
    }
    return 0;
}
