// What containerd's messages come to.
#include <string>

#include "containerd.pb.h"

#include "engines/containerd/messages.h"
#include "tests/unit/catch.h"

using namespace shorewatch;
using namespace shorewatch::containerd;
using Type = ContainerEvent::Type;

namespace {

std::string envelope(const std::string& topic, const std::string& event, std::int64_t seconds = 1700000000,
                     std::int32_t nanos = 123456789) {
    api::Envelope message;
    message.mutable_timestamp()->set_seconds(seconds);
    message.mutable_timestamp()->set_nanos(nanos);
    message.set_namespace_("default");
    message.set_topic(topic);
    message.mutable_event()->set_type_url("containerd.events.Something");
    message.mutable_event()->set_value(event);
    return message.SerializeAsString();
}

std::string task_event(const std::string& id) {
    api::TaskEvent event;
    event.set_container_id(id);
    return event.SerializeAsString();
}

std::string exit_event(const std::string& id, const std::string& process, std::uint32_t status) {
    api::TaskExit event;
    event.set_container_id(id);
    event.set_id(process);
    event.set_pid(12);
    event.set_exit_status(status);
    return event.SerializeAsString();
}

std::optional<ContainerEvent> event_of(const std::string& bytes) {
    const auto message = decode_event(bytes);
    REQUIRE(message);
    return message->event;
}

}  // namespace

TEST_CASE("an event of containerd's becomes one of ours") {
    const auto [topic, type] = GENERATE(table<std::string, Type>(
        {{"/tasks/paused", Type::paused}, {"/tasks/resumed", Type::unpaused}, {"/tasks/oom", Type::oom}}));
    const auto event = event_of(envelope(topic, task_event("web")));
    REQUIRE(event);
    CHECK(event->type == type);
    CHECK(event->time == RealTime{std::chrono::nanoseconds(1700000000123456789)});
    CHECK(event->container->id == "default/web");
    CHECK(event->container->name == "web");
    CHECK(event->container->name_space == "default");
    CHECK_FALSE(event->exit_code);
}

TEST_CASE("a start tells the pid, as far as it can be one") {
    const auto pid_of = [](std::uint32_t pid) {
        api::TaskStart start;
        start.set_container_id("web");
        start.set_pid(pid);
        return event_of(envelope("/tasks/start", start.SerializeAsString()))->container->pid;
    };
    CHECK(pid_of(4711) == 4711);
    CHECK(pid_of(0) == 0);
    CHECK(pid_of(0xFFFFFFFF) == 0);
}

TEST_CASE("only the end of the container's own process is an exit") {
    const auto exit = event_of(envelope("/tasks/exit", exit_event("web", "web", 137)));
    REQUIRE(exit);
    CHECK(exit->type == Type::exited);
    CHECK(exit->exit_code == 137);
    CHECK_FALSE(event_of(envelope("/tasks/exit", exit_event("web", "exec-1", 0))));
    CHECK_FALSE(event_of(envelope("/tasks/exit", exit_event("web", "", 0))));
    CHECK_FALSE(event_of(envelope("/tasks/exit", exit_event("web", "web", 0xFFFFFFFF)))->exit_code);
}

TEST_CASE("a container that is deleted is told as removed") {
    api::TaskEvent removal;
    removal.set_container_id("0123");
    const auto event = event_of(envelope("/containers/delete", removal.SerializeAsString()));
    REQUIRE(event);
    CHECK(event->type == Type::removed);
    CHECK(event->container->id == "default/0123");
}

TEST_CASE("an update of a container is a rename to what its labels say") {
    api::ContainerUpdate update;
    update.set_id("0123");
    update.set_image("busybox");
    api::Label* label = update.add_labels();
    label->set_key("nerdctl/name");
    label->set_value("web\xff");
    const auto event = event_of(envelope("/containers/update", update.SerializeAsString()));
    REQUIRE(event);
    CHECK(event->type == Type::renamed);
    CHECK(event->container->name == "web\uFFFD");
    CHECK(event->container->image == "busybox");
    update.clear_labels();
    CHECK(event_of(envelope("/containers/update", update.SerializeAsString()))->container->name == "0123");
}

TEST_CASE("names that are longer than names are, are cut") {
    const std::string longest(5000, 'x');
    api::ContainerUpdate update;
    update.set_id("web");
    update.set_image(longest);
    for (const char* key : {"nerdctl/name", "io.kubernetes.pod.name", "com.docker.compose.project"}) {
        api::Label& label = *update.add_labels();
        label.set_key(key);
        label.set_value(longest);
    }
    const auto event = event_of(envelope("/containers/update", update.SerializeAsString()));
    REQUIRE(event);
    for (const std::string& text :
         {event->container->name, event->container->image, event->container->pod, event->container->project})
        CHECK(text == longest.substr(0, 4096));
}

TEST_CASE("what is no event is told apart from an event of no use") {
    CHECK_FALSE(decode_event("\xff\xff\xff"));
    REQUIRE(decode_event(""));
    CHECK_FALSE(decode_event("")->event);
    CHECK(decode_event(envelope("/images/create", "x"))->topic == "/images/create");
    for (const auto seconds : {std::int64_t{0}, std::int64_t{-62135596800}, std::int64_t{1} << 60}) {
        CHECK_FALSE(event_of(envelope("/tasks/oom", task_event("web"), seconds)));
    }
    CHECK_FALSE(event_of(envelope("/tasks/oom", task_event("web"), 1, -1)));
    CHECK_FALSE(event_of(envelope("/tasks/oom", task_event("web"), 1, 1'000'000'000)));
    CHECK_FALSE(event_of(envelope("/tasks/oom", "\xff")));
}

TEST_CASE("an event that is cut off anywhere is no crash") {
    const std::string whole = envelope("/tasks/exit", exit_event("web", "web", 1));
    for (std::size_t size = 0; size < whole.size(); ++size) {
        const auto message = decode_event(std::string_view(whole).substr(0, size));
        if (message && message->event) CHECK(message->event->container->id == "default/web");
    }
}

TEST_CASE("Kubernetes' labels of a container tell its pod") {
    api::ContainerResponse response;
    response.mutable_container()->set_id("0123");
    for (const auto& [key, value] :
         {std::pair("io.kubernetes.pod.name", "db-0"), std::pair("io.kubernetes.pod.uid", "u-1"),
          std::pair("io.cri-containerd.kind", "sandbox")}) {
        api::Label* label = response.mutable_container()->add_labels();
        label->set_key(key);
        label->set_value(value);
    }
    const auto container = decode_container("k8s.io", response.SerializeAsString());
    REQUIRE(container);
    CHECK(container->id == "k8s.io/0123");
    CHECK(container->pod == "db-0");
    CHECK(container->pod_id == "u-1");
    CHECK(container->sandbox);
}

TEST_CASE("a task tells how a container is, whether containerd names the container or the process") {
    api::GetTaskResponse response;
    response.mutable_process()->set_id("web");
    response.mutable_process()->set_pid(12);
    response.mutable_process()->set_status(4);
    auto task = decode_task(response.SerializeAsString());
    REQUIRE(task);
    CHECK(task->id == "web");
    CHECK(task->is_alive());
    CHECK(task->is_paused());
    response.mutable_process()->set_container_id("other");
    response.mutable_process()->set_status(99);
    task = decode_task(response.SerializeAsString());
    CHECK(task->id == "other");
    CHECK(task->status == Task::Status::unknown);
    CHECK_FALSE(task->is_alive());
    CHECK_FALSE(decode_task(""));
}

TEST_CASE("ids are a namespace and a name, as containerd takes them") {
    const auto parsed = Identifier::parse("k8s.io/0a-b_c");
    REQUIRE(parsed);
    CHECK(parsed->name_space == "k8s.io");
    CHECK(parsed->id == "0a-b_c");
    CHECK(parsed->text() == "k8s.io/0a-b_c");
    for (const char* text : {"", "web", "/web", "default/", "a/b/c", "default/..", "default/a--b",
                             "default/a ", "default/-a", "default/\xff"}) {
        CAPTURE(text);
        CHECK_FALSE(Identifier::parse(text));
    }
    CHECK(Identifier::parse("default/" + std::string(76, 'x')));
    CHECK_FALSE(Identifier::parse("default/" + std::string(77, 'x')));
}

TEST_CASE("what is published has a type that all of containerd's clients know") {
    api::PublishRequest request;
    REQUIRE(request.ParseFromString(publish_request("/shorewatch/1")));
    CHECK(request.topic() == "/shorewatch/1");
    CHECK(request.event().type_url() == "google.protobuf.Empty");
}
