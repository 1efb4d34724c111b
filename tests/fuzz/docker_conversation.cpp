// Docker's client and an engine that answers what the fuzzer says.
#include "engines/docker/docker_client.h"
#include "tests/fuzz/conversation.h"
#include "tests/fuzz/expect.h"

using namespace shorewatch;
using namespace shorewatch::fuzz;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static Conversation conversation([](EventLoop& loop, Endpoint endpoint) {
        return std::make_unique<docker::DockerClient>(loop, std::move(endpoint));
    });
    conversation.hold(text_of(data, size));
    return 0;
}
