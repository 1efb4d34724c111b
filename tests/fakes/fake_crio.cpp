#include "tests/fakes/fake_crio.h"

#include <chrono>
#include <utility>

#include "cri.pb.h"

#include "tests/fakes/drive.h"

namespace shorewatch::fakes {

namespace {

namespace api = cri::api;

constexpr int not_found = 5;
constexpr int unimplemented = 12;
constexpr std::int64_t second = 1'000'000'000;

void add(api::Entry* entry, const std::string& key, const std::string& value) {
    entry->set_key(key);
    entry->set_value(value);
}

std::string info_of(std::uint32_t pid) {
    return R"({"sandboxID":"x","pid":)" + std::to_string(pid) + R"(,"privileged":true,"runtimeSpec":{}})";
}

void fill(api::PodSandboxMetadata& metadata, const FakeCrio::Pod& pod) {
    metadata.set_name(pod.name);
    metadata.set_uid("uid-of-" + pod.name);
    metadata.set_namespace_(pod.name_space);
}

void fill(api::PodSandbox& item, const FakeCrio::Pod& pod) {
    item.set_id(pod.id);
    fill(*item.mutable_metadata(), pod);
    item.set_state(pod.ready ? 0 : 1);
    for (const auto& [key, value] : pod.annotations)
        add(item.add_annotations(), key, value);
}

void fill(api::Container& item, const FakeCrio::Container& container) {
    item.set_id(container.id);
    item.set_pod_sandbox_id(container.pod);
    item.mutable_metadata()->set_name(container.name);
    item.mutable_image()->set_image("quay.io/" + container.name);
    item.set_state(container.state);
    for (const auto& [key, value] : container.labels)
        add(item.add_labels(), key, value);
    for (const auto& [key, value] : container.annotations)
        add(item.add_annotations(), key, value);
}

void fill(api::ContainerStatus& status, const FakeCrio::Container& container) {
    status.set_id(container.id);
    status.set_state(container.state);
    status.set_started_at(1000 * second);
    if (container.state == 2) status.set_finished_at(2000 * second);
    status.set_exit_code(container.exit_code);
    status.mutable_metadata()->set_name(container.name);
    status.mutable_image()->set_image("quay.io/" + container.name);
    status.set_log_path("/var/log/" + container.name);
    for (const auto& [key, value] : container.labels)
        add(status.add_labels(), key, value);
}

}  // namespace

FakeCrio::FakeCrio(std::string runtime_name)
    : runtime_name_(std::move(runtime_name)),
      server_([this](const GrpcExchangePtr& exchange) { handle(exchange); }) {}

void FakeCrio::put(Pod pod) {
    const std::lock_guard lock(mutex_);
    pods_.insert_or_assign(pod.id, pod);
}

void FakeCrio::put(Container container) {
    const std::lock_guard lock(mutex_);
    containers_.insert_or_assign(container.id, container);
}

void FakeCrio::remove(const std::string& id) {
    const std::lock_guard lock(mutex_);
    containers_.erase(id);
}

void FakeCrio::emit(const std::string& id, bool started, const std::string& pod, std::int32_t exit_code) {
    api::ContainerEventResponse event;
    event.set_container_id(id);
    event.set_container_event_type(started ? 1 : 2);
    event.set_created_at(std::chrono::duration_cast<std::chrono::nanoseconds>(
                             std::chrono::system_clock::now().time_since_epoch())
                             .count());
    event.mutable_pod_sandbox_status()->set_id(pod);
    if (!started && id != pod) {
        api::ContainerStatus* status = event.add_containers_statuses();
        status->set_id(id);
        status->set_state(2);
        status->set_exit_code(exit_code);
    }
    stream_bytes(event.SerializeAsString());
}

void FakeCrio::stream_bytes(const std::string& bytes) {
    const std::lock_guard lock(mutex_);
    for (const GrpcExchangePtr& reader : readers_)
        reader->send(bytes);
}

void FakeCrio::replace(const std::string& method, GrpcServer::Handler handler) {
    const std::lock_guard lock(mutex_);
    replaced_.insert_or_assign(method, std::move(handler));
}

void FakeCrio::refuse(const std::string& method, int code, const std::string& text) {
    replace(method, [code, text](const GrpcExchangePtr& exchange) { exchange->finish(code, text); });
}

bool FakeCrio::wait_for_readers(std::size_t count) const {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, patience, [&] { return readers_.size() >= count; });
}

std::size_t FakeCrio::calls(const std::string& method) const {
    const std::lock_guard lock(mutex_);
    const auto found = calls_.find(method);
    return found != calls_.end() ? found->second : 0;
}

void FakeCrio::handle(const GrpcExchangePtr& exchange) {
    const std::string method = exchange->method.substr(exchange->method.rfind('/') + 1);
    GrpcServer::Handler handler;
    {
        const std::lock_guard lock(mutex_);
        ++calls_[method];
        if (const auto found = replaced_.find(method); found != replaced_.end()) handler = found->second;
    }
    if (handler) return handler(exchange);
    const std::lock_guard lock(mutex_);
    if (method == "GetContainerEvents") {
        readers_.push_back(exchange);
        changed_.notify_all();
        return;
    }
    int code = 0;
    const std::string answer = answer_to(method, exchange->request, code);
    code == 0 ? exchange->answer(answer) : exchange->finish(code, answer);
}

std::optional<std::int64_t> FakeCrio::stopped_in(const std::string& id) const {
    const std::lock_guard lock(mutex_);
    const auto found = stopped_.find(id);
    return found != stopped_.end() ? std::optional(found->second) : std::nullopt;
}

std::string FakeCrio::stop(const std::string& method, const std::string& bytes, int& code) {
    // The id has the same number in both.
    api::StopContainerRequest request;
    request.ParseFromString(bytes);
    const auto container = containers_.find(request.container_id());
    const auto pod = pods_.find(request.container_id());
    if (method == "StopContainer" && container != containers_.end()) {
        container->second.state = 2;
    } else if (method == "StopPodSandbox" && pod != pods_.end()) {
        pod->second.ready = false;
    } else {
        code = not_found;
        return "an error occurred when try to find it: not found";
    }
    stopped_.emplace(request.container_id(), request.timeout());
    return {};
}

std::string FakeCrio::answer_to(const std::string& method, const std::string& bytes, int& code) {
    if (method.starts_with("Stop")) return stop(method, bytes, code);
    if (method == "Version") {
        api::VersionResponse response;
        response.set_runtime_name(runtime_name_);
        response.set_runtime_version("1.28.4");
        return response.SerializeAsString();
    }
    if (method == "ListContainers" || method == "ListPodSandbox") {
        api::ListRequest request;
        request.ParseFromString(bytes);
        // A filter takes the beginning of an id for the whole.
        const auto wanted = [&](const std::string& id) { return id.starts_with(request.filter().id()); };
        api::ListContainersResponse containers;
        for (const auto& [id, container] : containers_) {
            if (wanted(id)) fill(*containers.add_containers(), container);
        }
        api::ListPodSandboxResponse pods;
        for (const auto& [id, pod] : pods_) {
            if (wanted(id)) fill(*pods.add_items(), pod);
        }
        return method == "ListContainers" ? containers.SerializeAsString() : pods.SerializeAsString();
    }
    api::StatusRequest request;
    request.ParseFromString(bytes);
    if (const auto found = containers_.find(request.id());
        method == "ContainerStatus" && found != containers_.end()) {
        api::ContainerStatusResponse response;
        fill(*response.mutable_status(), found->second);
        const std::string& info = found->second.info;
        add(response.add_info(), "info", info.empty() ? info_of(found->second.pid) : info);
        return response.SerializeAsString();
    }
    if (const auto found = pods_.find(request.id()); method == "PodSandboxStatus" && found != pods_.end()) {
        api::PodSandboxStatusResponse response;
        response.mutable_status()->set_id(found->first);
        response.mutable_status()->set_state(found->second.ready ? 0 : 1);
        response.mutable_status()->set_created_at(1000 * second);
        add(response.add_info(), "info", info_of(found->second.pid));
        return response.SerializeAsString();
    }
    code = method.ends_with("Status") ? not_found : unimplemented;
    return "no " + method;
}

}  // namespace shorewatch::fakes
