// Reads task definitions: the JSON that ECS has for them.
//
// What ECS knows of and a host alone has no use for is let pass (docs/tasks.md has the list); what would make
// containers other than the definition wants them, and what nobody knows, is an error.
#pragma once

#include <string>

#include "daemon/tasks/definition_fields.h"
#include "daemon/tasks/task_definition.h"

namespace shorewatch {

// Throws InvalidDefinition; its path is "$" for a text that is no JSON, or too much of it.
[[nodiscard]] WantedTask read_definition(const std::string& text);
[[nodiscard]] WantedTask read_definition(const PlacedValue& value);

// Names of a task: 1 to 512 bytes of valid UTF-8 without control characters.
inline constexpr std::size_t longest_arn = 512;
[[nodiscard]] std::string read_arn(const PlacedValue& value);

// The containers of a definition, each with its dependencies; volumes are those of the definition.
[[nodiscard]] std::vector<ContainerDefinition> read_containers(const PlacedValue& array,
                                                               const std::vector<VolumeDefinition>& volumes);
// Credentials as a definition has them, by registry.
[[nodiscard]] CredentialsByRegistry read_credentials(const PlacedValue& object);

}  // namespace shorewatch
