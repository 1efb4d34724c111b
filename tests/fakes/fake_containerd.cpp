#include "tests/fakes/fake_containerd.h"

#include <algorithm>
#include <utility>

#include "containerd.pb.h"

namespace shorewatch::fakes {

namespace {

namespace api = containerd::api;

constexpr int not_found = 5;
constexpr int unimplemented = 12;

void set_time(api::Timestamp& stamp, RealTime time) {
    const auto seconds = std::chrono::floor<std::chrono::seconds>(time);
    stamp.set_seconds(seconds.time_since_epoch().count());
    stamp.set_nanos(static_cast<std::int32_t>((time - seconds).count()));
}

void fill(api::Container& container, const FakeContainerd::Contents& contents) {
    container.set_id(contents.id);
    container.set_image(contents.image);
    container.mutable_runtime()->set_name("io.containerd.runc.v2");
    container.mutable_spec()->set_value(contents.spec);
    container.set_snapshotter("native");
    container.set_snapshot_key(contents.id);
    set_time(*container.mutable_created_at(), RealTime{std::chrono::seconds(900)});
    for (const auto& [key, value] : contents.labels) {
        api::Label* label = container.add_labels();
        label->set_key(key);
        label->set_value(value);
    }
}

void fill(api::Process& process, const FakeContainerd::Contents& contents) {
    process.set_id(contents.id);
    process.set_pid(contents.pid);
    process.set_status(contents.status);
    process.set_exit_status(contents.exit_status);
    if (contents.status == 3) set_time(*process.mutable_exited_at(), RealTime{std::chrono::seconds(1000)});
}

std::string short_name(const std::string& method) {
    const std::size_t dot = method.rfind('.');
    return dot == std::string::npos ? method : method.substr(dot + 1);
}

}  // namespace

FakeContainerd::FakeContainerd() : server_([this](const GrpcExchangePtr& exchange) { handle(exchange); }) {}

void FakeContainerd::put(const std::string& name_space, Contents contents) {
    const std::lock_guard lock(mutex_);
    auto& place = contents_[name_space];
    if (!contents.id.empty()) place.insert_or_assign(contents.id, contents);
}

std::uint32_t FakeContainerd::remove(const std::string& name_space, const std::string& id) {
    const std::lock_guard lock(mutex_);
    const auto removed = contents_[name_space].extract(id);
    return removed ? removed.mapped().pid : 1;
}

void FakeContainerd::emit(const std::string& name_space, const std::string& topic, const std::string& event,
                          RealTime time) {
    api::Envelope envelope;
    envelope.set_namespace_(name_space);
    envelope.set_topic(topic);
    envelope.mutable_event()->set_type_url("some.type");
    envelope.mutable_event()->set_value(event);
    set_time(*envelope.mutable_timestamp(), time);
    stream_bytes(envelope.SerializeAsString());
}

void FakeContainerd::emit_start(const std::string& name_space, const std::string& id, std::uint32_t pid) {
    api::TaskStart start;
    start.set_container_id(id);
    start.set_pid(pid);
    emit(name_space, "/tasks/start", start.SerializeAsString());
}

void FakeContainerd::emit_exit(const std::string& name_space, const std::string& id,
                               std::uint32_t exit_status, const std::string& process, std::uint32_t pid) {
    api::TaskExit exit;
    exit.set_container_id(id);
    exit.set_id(process.empty() ? id : process);
    exit.set_pid(pid);
    exit.set_exit_status(exit_status);
    emit(name_space, "/tasks/exit", exit.SerializeAsString());
}

void FakeContainerd::stream_bytes(const std::string& bytes) {
    const std::lock_guard lock(mutex_);
    for (const GrpcExchangePtr& subscriber : subscribers_)
        subscriber->send(bytes);
}

void FakeContainerd::end_streams(int code, const std::string& text) {
    std::vector<GrpcExchangePtr> subscribers;
    {
        const std::lock_guard lock(mutex_);
        subscribers.swap(subscribers_);
    }
    for (const GrpcExchangePtr& subscriber : subscribers)
        subscriber->finish(code, text);
}

void FakeContainerd::replace(const std::string& method, GrpcServer::Handler handler) {
    const std::lock_guard lock(mutex_);
    replaced_.insert_or_assign(method, std::move(handler));
}

void FakeContainerd::refuse(const std::string& method, int code, const std::string& text) {
    replace(method, [code, text](const GrpcExchangePtr& exchange) { exchange->finish(code, text); });
}

void FakeContainerd::hang(const std::string& method) {
    replace(method, [](const GrpcExchangePtr&) {});
}

void FakeContainerd::restore(const std::string& method) {
    const std::lock_guard lock(mutex_);
    replaced_.erase(method);
}

void FakeContainerd::subscribe(const GrpcExchangePtr& exchange) {
    serve("Events/Subscribe", exchange);
}

std::size_t FakeContainerd::calls(const std::string& method) const {
    const std::lock_guard lock(mutex_);
    const auto found = calls_.find(method);
    return found != calls_.end() ? found->second : 0;
}

bool FakeContainerd::wait_for_calls(const std::string& method, std::size_t count) const {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, patience, [&] {
        const auto found = calls_.find(method);
        return found != calls_.end() && found->second >= count;
    });
}

std::vector<std::string> FakeContainerd::filters() const {
    const std::lock_guard lock(mutex_);
    return filters_;
}

std::size_t FakeContainerd::subscribers() const {
    const std::lock_guard lock(mutex_);
    return static_cast<std::size_t>(
        std::ranges::count_if(subscribers_, [](const auto& s) { return !s->cancelled(); }));
}

bool FakeContainerd::wait_for_subscriber() const {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, patience, [&] { return !subscribers_.empty(); });
}

bool FakeContainerd::all_gone() const {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, patience, [&] {
        return std::ranges::all_of(subscribers_, [](const auto& s) { return s->cancelled(); });
    });
}

void FakeContainerd::handle(const GrpcExchangePtr& exchange) {
    const std::string method = short_name(exchange->method);
    GrpcServer::Handler handler;
    {
        const std::lock_guard lock(mutex_);
        ++calls_[method];
        if (const auto found = replaced_.find(method); found != replaced_.end()) handler = found->second;
    }
    changed_.notify_all();
    if (handler) return handler(exchange);
    if (!serve_task(method, exchange)) serve(method, exchange);
}

void FakeContainerd::add_subscriber(const GrpcExchangePtr& exchange) {
    api::SubscribeRequest request;
    request.ParseFromString(exchange->request);
    filters_ = {request.filters().begin(), request.filters().end()};
    exchange->when_cancelled = [this] {
        const std::lock_guard noting(mutex_);
        changed_.notify_all();
    };
    subscribers_.push_back(exchange);
    changed_.notify_all();
}

void FakeContainerd::publish(const std::string& name_space, const GrpcExchangePtr& exchange) {
    api::PublishRequest request;
    request.ParseFromString(exchange->request);
    api::Envelope envelope;
    envelope.set_namespace_(name_space);
    envelope.set_topic(request.topic());
    *envelope.mutable_event() = request.event();
    set_time(*envelope.mutable_timestamp(), real_time_now());
    for (const GrpcExchangePtr& subscriber : subscribers_)
        subscriber->send(envelope.SerializeAsString());
    exchange->answer({});
}

void FakeContainerd::serve(const std::string& method, const GrpcExchangePtr& exchange) {
    const std::unique_lock lock(mutex_);
    const auto metadata = exchange->metadata.find("containerd-namespace");
    const std::string name_space = metadata != exchange->metadata.end() ? metadata->second : "";
    const auto in_namespace = contents_.find(name_space);
    static const std::map<std::string, Contents> nothing;
    const auto& present = in_namespace != contents_.end() ? in_namespace->second : nothing;
    if (method == "Version/Version") {
        api::VersionResponse response;
        response.set_version("1.6.99");
        exchange->answer(response.SerializeAsString());
    } else if (method == "Introspection/Server") {
        api::ServerResponse response;
        response.set_uuid("b66b2ab1-a2f7-4cb5-9d2c-3bb2ab3b2b3b");
        exchange->answer(response.SerializeAsString());
    } else if (method == "Events/Subscribe") {
        add_subscriber(exchange);
    } else if (method == "Events/Publish") {
        publish(name_space, exchange);
    } else if (method == "Namespaces/List") {
        api::ListNamespacesResponse response;
        for (const auto& [name, containers] : contents_)
            response.add_namespaces()->set_name(name);
        exchange->answer(response.SerializeAsString());
    } else if (method == "Containers/ListStream") {
        for (const auto& [id, contents] : present) {
            api::ContainerResponse response;
            fill(*response.mutable_container(), contents);
            exchange->send(response.SerializeAsString());
        }
        exchange->finish();
    } else if (method == "Tasks/List") {
        api::ListTasksResponse response;
        for (const auto& [id, contents] : present) {
            if (contents.has_task) fill(*response.add_tasks(), contents);
        }
        exchange->answer(response.SerializeAsString());
    } else if (method == "Containers/Get") {
        api::GetContainerRequest request;
        request.ParseFromString(exchange->request);
        const auto found = present.find(request.id());
        if (found == present.end())
            return exchange->finish(not_found, "container " + request.id() + ": not found");
        api::ContainerResponse response;
        fill(*response.mutable_container(), found->second);
        exchange->answer(response.SerializeAsString());
    } else if (method == "Tasks/Get") {
        api::GetTaskRequest request;
        request.ParseFromString(exchange->request);
        const auto found = present.find(request.container_id());
        if (found == present.end() || !found->second.has_task) return exchange->finish(not_found, "no task");
        api::GetTaskResponse response;
        fill(*response.mutable_process(), found->second);
        exchange->answer(response.SerializeAsString());
    } else {
        exchange->finish(unimplemented, "unknown method " + method);
    }
}

}  // namespace shorewatch::fakes
