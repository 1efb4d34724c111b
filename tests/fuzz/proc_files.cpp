// What the kernel tells of processes, part of which they choose themselves: names of commands and of cgroups.
#include <string>

#include <fuzzer/FuzzedDataProvider.h>

#include "daemon/processes/cgroups.h"
#include "engines/support/process.h"
#include "tests/fuzz/expect.h"

using namespace shorewatch;
using namespace shorewatch::fuzz;

namespace {

void expect_cgroups(const std::string& text, const std::string& parent, const std::string& id) {
    const std::vector<Cgroup> cgroups = parse_cgroups(text);
    for (const Cgroup& cgroup : cgroups)
        expect(cgroup.path.starts_with('/'), "cgroups have absolute paths");
    const auto is_one_of_them = [&](const Cgroup& found) {
        for (const Cgroup& cgroup : cgroups) {
            if (cgroup.hierarchy == found.hierarchy && is_within(cgroup.path, found.path)) return true;
        }
        return false;
    };
    if (const auto named = named_after(cgroups, id)) {
        expect(is_one_of_them(*named), "the process is within the cgroup named after its container");
        expect(named->path.find(id.substr(id.rfind('/') + 1)) != std::string::npos, "its name has the id");
    }
    if (const auto apart = apart_from(cgroups, parse_cgroups(parent))) {
        expect(is_one_of_them(*apart), "the process is within its own cgroup");
        expect(apart->path.size() > 1, "nobody has the root to himself");
    }
}

// A command may call itself what it likes, and must not seem to be another for it.
void expect_stat(const std::string& command, const std::string& text) {
    if (const auto stat = parse_stat(text)) expect(stat->began != 0, "processes began some time");
    // The name is cut by the kernel, to 15 bytes, none of them NUL.
    const std::string name = command.substr(0, 15);
    const auto stat =
        parse_stat("4711 (" + name + ") S 1 4711 4711 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 987 0\n");
    expect(stat && stat->state == 'S' && stat->began == 987,
           "whatever its command's name, a process is itself");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    FuzzedDataProvider bytes(data, size);
    const std::string id = bytes.ConsumeRandomLengthString(64);
    const std::string parent = bytes.ConsumeRandomLengthString(1024);
    const std::string text = bytes.ConsumeRemainingBytesAsString();
    expect_cgroups(text, parent, id);
    expect_cgroups(text, text, id);
    expect_stat(id, text);
    return 0;
}
