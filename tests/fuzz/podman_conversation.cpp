// Podman's client and an engine that answers what the fuzzer says.
#include "engines/podman/podman_client.h"
#include "tests/fuzz/conversation.h"
#include "tests/fuzz/expect.h"

using namespace shorewatch;
using namespace shorewatch::fuzz;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static Conversation conversation([](EventLoop& loop, Endpoint endpoint) {
        // A stream whose head never comes would take a second each time.
        rest::Options options;
        options.late_head = {};
        return std::make_unique<podman::PodmanClient>(loop, std::move(endpoint), options);
    });
    conversation.hold(text_of(data, size));
    return 0;
}
