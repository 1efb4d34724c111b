// OCI specifications and processes of callers: JSON of which a member is changed, and the rest passed on.
#include <string>

#include "engines/containerd/runtime/spec_json.h"
#include "tests/fuzz/expect.h"
#include "tests/fuzz/json_answer.h"

using namespace shorewatch;
using namespace shorewatch::containerd;
using namespace shorewatch::fuzz;

namespace {

std::string root_path(const std::string& spec) {
    const json::Document document{spec};
    return json::text_at(document.root(), {"root", "path"});
}

// What has been changed once is not changed further by the same.
template <typename Change>
std::string changed(const Change& change, const std::string& text) {
    std::string once = change(text);
    try {
        expect(change(once) == once, "a change that was made changes nothing");
    } catch (const json::Malformed&) {
        expect(false, "what has been changed is JSON");
    }
    return once;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string text(text_of(data, size));
    decoded([&] { return spec_terminal(text); },
            [&](bool terminal) {
                for (const bool wanted : {terminal, !terminal}) {
                    const auto change = [wanted](const std::string& spec) {
                        return spec_with_terminal(spec, wanted);
                    };
                    expect(spec_terminal(changed(change, text)) == wanted, "the terminal is as wanted");
                }
            });
    decoded([&] { return process_terminal(text); },
            [&](bool terminal) {
                const auto change = [terminal](const std::string& process) {
                    return process_with_terminal(process, !terminal);
                };
                expect(process_terminal(changed(change, text)) == !terminal, "the terminal is as wanted");
            });
    decoded([&] { return changed(spec_with_own_root, text); },
            [](const std::string& spec) { expect(root_path(spec) == "rootfs", "the root is its own"); });
    return 0;
}
