// The texts of a fake Docker engine's answers, in the shape of dockerd's.
//
// Strings go out as they are but for what JSON must escape: invalid UTF-8 stays, NUL becomes \u0000.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "tests/fakes/docker_model.h"

namespace shorewatch::fakes {

// A minor version of API 1: dockerd has never had another major one.
using ApiMinor = unsigned;

struct EngineFacts {
    std::string id = "J4YJ:234M:OHVW:OOXF:QRKJ:YXGV:4RDO:52LU:77Q7:Q2A7:KBMA:BBHE";
    std::string version = "20.10.24";
    ApiMinor newest_api = 41;
    ApiMinor oldest_api = 12;
};

// One line of the event stream, with its newline. Without status, id and from where the API has them no
// longer.
[[nodiscard]] std::string event_line(const DockerEvent& event, ApiMinor api);
[[nodiscard]] std::string list_json(const std::vector<const FakeContainer*>& containers);
[[nodiscard]] std::string inspect_json(const FakeContainer& container);
// now: by the engine's clock.
[[nodiscard]] std::string info_json(const EngineFacts& facts,
                                    const std::vector<const FakeContainer*>& containers, RealTime now);
[[nodiscard]] std::string version_json(const EngineFacts& facts);
// {"message":"…"}
[[nodiscard]] std::string error_json(std::string_view message);
// "running", "exited", …
[[nodiscard]] const char* status_of(const FakeContainer& container);

}  // namespace shorewatch::fakes
