// Files of credentials as Docker has them: what comes out can be shown to a registry, and no error shows any
// of it.
#include <string>

#include "daemon/tasks/credentials_file.h"
#include "daemon/tasks/definition_fields.h"
#include "engines/rest/deployment_decode.h"
#include "tests/fuzz/expect.h"

using namespace shorewatch;
using namespace shorewatch::fuzz;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    try {
        for (const auto& [registry, credentials] : parse_credentials(std::string(text_of(data, size)))) {
            expect_line(registry, "registries have names");
            expect(registry.find('/') == std::string::npos, "registries are hosts");
            expect_clean(credentials.username, "names of users are valid");
            expect_clean(credentials.password, "passwords are valid");
            const std::string header = rest::registry_auth(credentials);
            expect(header.find_first_of("\r\n") == std::string::npos, "headers are one line");
        }
    } catch (const InvalidDefinition& error) {
        expect_line(error.path(), "places are one line");
        expect_line(error.what(), "reasons are one line");
    }
    return 0;
}
