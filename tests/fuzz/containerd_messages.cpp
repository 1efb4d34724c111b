// What containerd answers and tells, and what is inside of that: events' payloads, specifications, metrics.
// The same bytes are given to every decoder.
#include <string>

#include "engines/containerd/inspection_json.h"
#include "engines/containerd/messages.h"
#include "engines/containerd/runtime/metrics.h"
#include "engines/containerd/runtime/runtime_messages.h"
#include "engines/support/text.h"
#include "tests/fuzz/expect.h"
#include "tests/fuzz/json_answer.h"

using namespace shorewatch;
using namespace shorewatch::fuzz;

namespace {

void expect_json(const std::optional<std::string>& text) {
    if (text) expect_object(*text);
}

void take_watched(std::string_view bytes) {
    if (const auto message = containerd::decode_event(bytes); message && message->event)
        expect_event(*message->event);
    if (const auto container = containerd::decode_container("default", bytes)) {
        if (!container->id.empty()) expect_container(std::make_shared<const Container>(*container));
    }
    for (const containerd::Task& task :
         containerd::decode_tasks(bytes).value_or(std::vector<containerd::Task>{}))
        expect(task.pid <= INT32_MAX, "pids are pids");
    if (const auto task = containerd::decode_task(bytes)) expect(task->pid <= INT32_MAX, "pids are pids");
    for (const std::string& name : containerd::decode_namespaces(bytes).value_or(std::vector<std::string>{}))
        expect(is_containerd_name(name), "namespaces have names");
    expect_name(containerd::decode_version(bytes).value_or(""), "versions are valid and short");
    expect_name(containerd::decode_server_id(bytes).value_or(""), "ids of servers are valid and short");
}

void take_runtime(std::string_view bytes) {
    if (const auto event = containerd::decode_runtime_event(bytes)) {
        expect(is_containerd_name(event->place.name_space) && is_containerd_name(event->place.id),
               "events are of containers");
        expect(event->exec_name.empty() || is_containerd_name(event->exec_name), "processes have names");
    }
    if (const auto container = containerd::decode_raw_container(bytes)) {
        expect_json(containerd::inspection_json("c", bytes, std::nullopt));
        expect_json(containerd::inspection_json("", bytes, std::string(bytes)));
    }
    if (const auto metrics = containerd::decode_metrics(bytes)) {
        for (const Metric& figure : metrics->figures) {
            expect_clean(figure.name, "figures have valid names");
            const auto* const devices = std::get_if<std::vector<Metric::OfDevice>>(&figure.value);
            expect(devices == nullptr || !devices->empty(), "figures of devices have some");
            if (devices == nullptr) continue;
            for (const Metric::OfDevice& device : *devices)
                expect_clean(device.operation, "operations have valid names");
        }
    }
    if (const auto version = containerd::decode_engine_version(bytes)) {
        expect_name(version->version, "versions are valid and short");
        expect_name(version->revision, "revisions are valid and short");
    }
    for (const ListedProcess& process :
         containerd::decode_processes(bytes).value_or(std::vector<ListedProcess>{}))
        expect(!process.exec_name || is_containerd_name(*process.exec_name), "processes have names");
    static_cast<void>(containerd::decode_created_pid(bytes));
    static_cast<void>(containerd::decode_started_pid(bytes));
    static_cast<void>(containerd::decode_process_state(bytes));
    static_cast<void>(containerd::decode_deleted(bytes));
    static_cast<void>(containerd::decode_image_target(bytes));
    static_cast<void>(containerd::decode_content(bytes));
    static_cast<void>(containerd::decode_applied_digest(bytes));
    if (const auto mounts = containerd::decode_mounts(bytes)) {
        static_cast<void>(containerd::create_task_request("c", *mounts, {}, {}));
        static_cast<void>(containerd::apply_request({}, *mounts));
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view bytes = text_of(data, size);
    take_watched(bytes);
    take_runtime(bytes);
    const auto identifier = containerd::Identifier::parse(bytes);
    if (identifier) expect(identifier->text() == bytes, "identifiers are what they say");
    return 0;
}
