// What an image says about the containers made of it.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace shorewatch::ctl {

// The member "config" of an OCI image configuration; what it doesn't say is empty.
struct ImageConfig {
    std::vector<std::string> entrypoint;
    std::vector<std::string> command;      // the arguments of the entrypoint, or without one all of it
    std::vector<std::string> environment;  // KEY=VALUE
    std::string folder;
    std::string user;  // USER[:GROUP], names or numbers
};

// Nothing when the text is no JSON object. Members of other types than they should be count as empty.
[[nodiscard]] std::optional<ImageConfig> image_config(std::string_view json);

// The command line of a container: given, instead of the image's own arguments; entrypoint, if there is one,
// instead of the image's, whose arguments are then left out too. Empty: there is nothing to run.
[[nodiscard]] std::vector<std::string> command_line(const ImageConfig& image,
                                                    const std::vector<std::string>& given,
                                                    const std::optional<std::string>& entrypoint);

// Base, with changes: a KEY=VALUE replaces that of the same key, and goes to the end otherwise.
[[nodiscard]] std::vector<std::string> changed_environment(std::vector<std::string> base,
                                                           const std::vector<std::string>& changes);

}  // namespace shorewatch::ctl
