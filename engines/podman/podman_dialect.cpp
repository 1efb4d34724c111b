#include "engines/podman/podman_dialect.h"

#include <chrono>
#include <utility>

#include <curl/curl.h>

#include "engines/podman/podman_decode.h"
#include "engines/podman/podman_plan.h"

namespace shorewatch::podman {

namespace {

// Then they are asked for anew. A host has tens of pods.
constexpr std::size_t most_pods = 4096;

// The clock of a server by its Date header, in whole seconds, cut off.
std::optional<RealTime> date_of(const http::Head& head) {
    const std::string* date = head.find("date");
    return date != nullptr ? from_unix_seconds(curl_getdate(date->c_str(), nullptr)) : std::nullopt;
}

}  // namespace

rest::Greeting PodmanDialect::decode_ping(const http::Head& head) {
    rest::Greeting greeting = decode_version(head.find("libpod-api-version"));
    greeting.clock = date_of(head);
    return greeting;
}

rest::EngineInfo PodmanDialect::decode_info(std::string json) {
    return podman::decode_info(std::move(json));
}

// All events of containers: 4.3 takes event=died, but for others it does not match what it tells. With since,
// Podman 4 reads its log from the beginning and ends the stream when the log is rotated; without, it would
// tell half of the log again then. Podman 5 looks into the log every 250 ms, goes on with the new one when it
// was rotated, and leaves out what it had not read of the old one: it tells of that as an event of the
// system.
std::string PodmanDialect::events_path(RealTime since) const {
    return "/libpod/events?stream=true&since=" + to_decimal_seconds(since) +
           "&filters=" + http::url_encoded(R"({"type":["container","system"]})");
}

rest::EventLine PodmanDialect::decode_event(std::string json) {
    rest::EventLine line = podman::decode_event(std::move(json));
    if (!line.event) return line;
    line.event->container = with_known_pod(line.event->container);
    const auto type = line.event->type;
    if (type == ContainerEvent::Type::exited || type == ContainerEvent::Type::removed)
        runs_.erase(line.event->container->id);
    return line;
}

std::string_view PodmanDialect::list_path() const {
    // The default leaves out those that are stopping, which are alive.
    return "/libpod/containers/json?all=true";
}

rest::ContainerList PodmanDialect::decode_list(std::string json) {
    rest::ContainerList list = podman::decode_list(std::move(json));
    std::unordered_map<std::string, ContainerPtr> seen;
    for (ContainerPtr& container : list.containers) {
        if (!container->pod.empty()) remember_pod(container->pod_id, container->pod);
        container = with_known_run(container);
        if (container->pid != 0) seen.emplace(container->id, container);
    }
    runs_ = std::move(seen);
    return list;
}

ContainerPtr PodmanDialect::with_known_run(const ContainerPtr& listed) const {
    const auto found = runs_.find(listed->id);
    const Container* run = found != runs_.end() ? found->second.get() : nullptr;
    const bool same = run != nullptr && run->pid == listed->pid && run->started && listed->started &&
                      std::chrono::floor<std::chrono::seconds>(*run->started) == *listed->started;
    auto copy = std::make_shared<Container>(same ? *run : *listed);
    if (same) {
        copy->name = listed->name;
        copy->paused = listed->paused;
    } else {
        copy->pid = 0;
        copy->started.reset();
    }
    return copy;
}

std::string PodmanDialect::container_path(const std::string& id) const {
    return "/libpod/containers/" + http::url_encoded(id);
}

std::string PodmanDialect::pull_path(const std::string& image) const {
    return "/libpod/images/pull?policy=always&reference=" + http::url_encoded(image);
}

std::string PodmanDialect::create_body(const ContainerPlan& plan, const StringPairs& hosts) const {
    return podman::create_body(plan, hosts);
}

Inspection PodmanDialect::decode_inspection(std::string json) {
    Inspection inspection = podman::decode_inspection(std::move(json));
    inspection.container = with_known_pod(inspection.container);
    remember_run(inspection);
    return inspection;
}

std::string PodmanDialect::supplement_path(const Inspection& inspection) {
    const Container& container = *inspection.container;
    if (container.pod_id.empty() || !container.pod.empty()) return {};
    return "/libpod/pods/" + http::url_encoded(container.pod_id) + "/json";
}

void PodmanDialect::supplement(Inspection& inspection, const std::optional<std::string>& json) {
    if (!json) return;
    remember_pod(inspection.container->pod_id, decode_pod_name(*json));
    inspection.container = with_known_pod(inspection.container);
    remember_run(inspection);
}

ContainerPtr PodmanDialect::with_known_pod(const ContainerPtr& container) const {
    const auto pod = pods_.find(container->pod_id);
    return pod != pods_.end() && container->pod.empty() ? with_pod_name(*container, pod->second) : container;
}

void PodmanDialect::remember_pod(const std::string& id, const std::string& name) {
    if (pods_.size() >= most_pods) pods_.clear();
    if (!id.empty() && !name.empty()) pods_.insert_or_assign(id, name);
}

void PodmanDialect::remember_run(const Inspection& inspection) {
    if (inspection.alive) runs_.insert_or_assign(inspection.container->id, inspection.container);
}

}  // namespace shorewatch::podman
