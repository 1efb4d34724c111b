// What the runtime interface of Kubernetes answers and tells, and the JSON inside of that. The same bytes are
// given to every decoder.
#include <memory>
#include <string>
#include <vector>

#include "engines/cri/inspection_json.h"
#include "engines/cri/messages.h"
#include "tests/fuzz/expect.h"
#include "tests/fuzz/json_answer.h"

using namespace shorewatch;
using namespace shorewatch::fuzz;

namespace {

void expect_status(const std::optional<cri::Status>& status) {
    if (!status) return;
    expect(status->pid <= INT32_MAX, "pids are pids");
    expect(!status->running || !status->exit_code, "the living have no exit code");
}

void expect_json(const std::optional<std::string>& text) {
    if (text) expect_object(*text);
}

void expect_described(const std::vector<cri::Pod>& pods, const std::vector<cri::Record>& records) {
    for (const cri::Pod& pod : pods) {
        const auto container = std::make_shared<Container>();
        container->id = pod.id;
        cri::describe(*container, pod);
        expect_container(container);
    }
    for (const cri::Record& record : records) {
        const auto container = std::make_shared<Container>();
        container->id = record.id;
        cri::describe(*container, record, pods.empty() ? nullptr : &pods.front());
        expect_container(container);
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view bytes = text_of(data, size);
    if (const auto message = cri::decode_event(bytes); message && message->event)
        expect_event(*message->event);
    if (const auto runtime = cri::decode_version(bytes)) {
        expect_name(runtime->name, "names of runtimes are valid and short");
        expect_name(runtime->version, "versions are valid and short");
    }
    // The two have nearly the same shape.
    expect_described(cri::decode_pods(bytes).value_or(std::vector<cri::Pod>{}),
                     cri::decode_containers(bytes).value_or(std::vector<cri::Record>{}));
    expect_status(cri::decode_container_status(bytes));
    expect_status(cri::decode_pod_status(bytes));
    for (const char* id : {"", "c"}) {
        expect_json(cri::inspection_json(id, false, bytes));
        expect_json(cri::inspection_json(id, true, bytes));
    }
    return 0;
}
