// Credentials of registries as Docker keeps them: {"auths": {"registry.example": {"auth": "base64 of
// user:password"}}}.
#pragma once

#include <filesystem>
#include <string>

#include "daemon/tasks/task_definition.h"

namespace shorewatch {

// Entries that hold neither auth nor username and password, as where a helper program keeps them, and such of
// no registry that an image could name, are left out. An empty path: none. Throws std::runtime_error, in
// whose text there is nothing of the file.
[[nodiscard]] CredentialsByRegistry read_credentials_file(const std::filesystem::path& file);

// The text of such a file. Throws InvalidDefinition.
[[nodiscard]] CredentialsByRegistry parse_credentials(const std::string& text);

}  // namespace shorewatch
