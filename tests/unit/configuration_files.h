// Files of the configuration in a folder of their own, and what becomes of them when they are read.
#pragma once

#include <array>
#include <filesystem>
#include <string>
#include <string_view>

#include "daemon/configuration.h"
#include "tests/fakes/temporary_folder.h"

namespace shorewatch::testing {

inline constexpr std::array<std::string_view, 5> known_types = {"containerd", "cri", "docker", "other",
                                                                "podman"};

// A folder for shorewatch.toml and its drop-ins; anybody may enter it. Removed in the end.
class Files {
  public:
    Files();

    [[nodiscard]] std::filesystem::path main_file() const;
    [[nodiscard]] std::filesystem::path drop_in(std::string_view name) const;

    static void write(const std::filesystem::path& path, std::string_view text);

    // The folder of tasks beside the main file is "beside".
    [[nodiscard]] Configuration read(bool must_exist = true, bool user = false) const;

    // The message of the ConfigurationError, with FILE for the main file and DIR for its folder of drop-ins.
    [[nodiscard]] std::string error(bool must_exist = true) const;

  private:
    fakes::TemporaryFolder folder_;
};

// Of a main file with that text, alone.
Configuration read(std::string_view text, bool user = false);
std::string error_of(std::string_view text);

}  // namespace shorewatch::testing
