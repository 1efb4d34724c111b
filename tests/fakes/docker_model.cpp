#include "tests/fakes/docker_model.h"

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdio>
#include <iterator>
#include <ranges>
#include <stdexcept>

namespace shorewatch::fakes {

namespace {

// Above PID_MAX_LIMIT: no process of the machine that runs the tests can have such a pid.
constexpr std::uint32_t first_pid = 5'000'000;

std::string hex_id(std::uint32_t number) {
    // Multiplied by an odd constant, so that ids differ in their first characters, as real ones do.
    std::array<char, 65> text{};
    const std::uint64_t mixed = number * 0x9E3779B97F4A7C15ULL;
    std::snprintf(text.data(), text.size(), "%016llx%048x", static_cast<unsigned long long>(mixed), number);
    return text.data();
}

void append(DockerModel::Events& events, DockerModel::Events more) {
    std::ranges::move(more, std::back_inserter(events));
}

}  // namespace

DockerModel::Events DockerModel::create(ContainerSpec spec) {
    if (spec.id.empty()) spec.id = hex_id(next_number_++);
    if (spec.name.empty()) spec.name = spec.id.substr(0, 12);
    if (containers_.contains(spec.id)) throw std::logic_error("container " + spec.id + " exists");
    FakeContainer container;
    container.spec = std::move(spec);
    container.created = now();
    const auto created = event(container, "create");
    ids_.push_back(container.spec.id);
    containers_.insert_or_assign(container.spec.id, std::move(container));
    return {created};
}

DockerModel::Events DockerModel::start(const std::string& id, std::uint32_t pid) {
    FakeContainer& container = get(id);
    if (container.has_process()) throw std::logic_error("container " + id + " runs already");
    if (pid == 0 && container.runs.empty()) pid = container.spec.pid;
    if (pid == 0) pid = first_pid + next_number_++;
    const auto connected = network_event(container, "connect", now());
    container.runs.push_back({.pid = pid, .started = now(), .finished = {}});
    container.state = FakeContainer::State::running;
    return {connected, event(container, "start")};
}

DockerModel::Events DockerModel::die(const std::string& id, int exit_code) {
    FakeContainer& container = get_with_process(id);
    container.runs.back().finished = now();
    container.runs.back().exit_code = exit_code;
    container.state = FakeContainer::State::exited;
    const auto died = event(container, "die", {{"exitCode", std::to_string(exit_code)}});
    return {died, network_event(container, "disconnect", now())};
}

DockerModel::Events DockerModel::die_to_restart(const std::string& id, int exit_code) {
    auto events = die(id, exit_code);
    get(id).state = FakeContainer::State::restarting;
    return events;
}

DockerModel::Events DockerModel::kill(const std::string& id, int signal) {
    return {event(get_with_process(id), "kill", {{"signal", std::to_string(signal)}})};
}

DockerModel::Events DockerModel::stop(const std::string& id, int exit_code) {
    auto events = kill(id, SIGTERM);
    if (exit_code == 128 + SIGKILL) append(events, kill(id, SIGKILL));
    append(events, die(id, exit_code));
    events.push_back(event(get(id), "stop"));
    return events;
}

DockerModel::Events DockerModel::restart(const std::string& id, int exit_code) {
    auto events = stop(id, exit_code);
    append(events, start(id));
    events.push_back(event(get(id), "restart"));
    return events;
}

DockerModel::Events DockerModel::pause(const std::string& id) {
    FakeContainer& container = get(id);
    if (container.state != FakeContainer::State::running)
        throw std::logic_error("container " + id + " isn't running");
    container.state = FakeContainer::State::paused;
    return {event(container, "pause")};
}

DockerModel::Events DockerModel::unpause(const std::string& id) {
    FakeContainer& container = get(id);
    if (container.state != FakeContainer::State::paused)
        throw std::logic_error("container " + id + " isn't paused");
    container.state = FakeContainer::State::running;
    return {event(container, "unpause")};
}

DockerModel::Events DockerModel::rename(const std::string& id, const std::string& new_name) {
    FakeContainer& container = get(id);
    const std::string old_name = std::exchange(container.spec.name, new_name);
    return {event(container, "rename", {{"oldName", "/" + old_name}})};
}

DockerModel::Events DockerModel::oom(const std::string& id) {
    FakeContainer& container = get_with_process(id);
    container.runs.back().oom_killed = true;
    return {event(container, "oom")};
}

DockerModel::Events DockerModel::remove(const std::string& id) {
    Events events;
    if (get(id).has_process()) {
        append(events, kill(id, SIGKILL));
        append(events, die(id, 128 + SIGKILL));
    }
    events.push_back(event(get(id), "destroy"));
    containers_.erase(id);
    std::erase(ids_, id);
    return events;
}

DockerModel::Events DockerModel::exec(const std::string& id, const std::string& command, int exit_code) {
    const FakeContainer& container = get_with_process(id);
    const std::string exec_id = hex_id(next_number_++);
    return {event(container, "exec_create: " + command, {{"execID", exec_id}}),
            event(container, "exec_start: " + command, {{"execID", exec_id}}),
            event(container, "exec_die", {{"execID", exec_id}, {"exitCode", std::to_string(exit_code)}})};
}

DockerModel::Events DockerModel::probe_health(const std::string& id) {
    auto events = exec(id, "/bin/sh -c true", 0);
    events.push_back(event(get(id), "health_status: healthy"));
    return events;
}

const FakeContainer* DockerModel::find(const std::string& reference) const {
    if (const auto found = containers_.find(reference); found != containers_.end()) return &found->second;
    const FakeContainer* by_prefix = nullptr;
    bool ambiguous = false;
    for (const FakeContainer& container : std::views::values(containers_)) {
        if (container.spec.name == reference) return &container;
        if (reference.empty() || !container.spec.id.starts_with(reference)) continue;
        ambiguous = by_prefix != nullptr;
        by_prefix = &container;
    }
    return ambiguous ? nullptr : by_prefix;
}

std::vector<const FakeContainer*> DockerModel::containers() const {
    std::vector<const FakeContainer*> result;
    for (const std::string& id : std::views::reverse(ids_))
        result.push_back(&containers_.at(id));
    return result;
}

FakeContainer& DockerModel::get(const std::string& id) {
    const auto found = containers_.find(id);
    if (found == containers_.end()) throw std::logic_error("there is no container " + id);
    return found->second;
}

FakeContainer& DockerModel::get_with_process(const std::string& id) {
    FakeContainer& container = get(id);
    if (!container.has_process()) throw std::logic_error("container " + id + " has no process");
    return container;
}

DockerEvent DockerModel::event(const FakeContainer& container, std::string action,
                               std::map<std::string, std::string> attributes) const {
    // Labels override what the event itself has to say, but not image and name: dockerd does it so.
    for (const auto& [key, value] : container.spec.labels)
        attributes.insert_or_assign(key, value);
    attributes.insert_or_assign("image", container.spec.image);
    attributes.insert_or_assign("name", container.spec.name);
    return {.action = std::move(action),
            .id = container.spec.id,
            .from = container.spec.image,
            .attributes = std::move(attributes),
            .time = now()};
}

DockerEvent DockerModel::network_event(const FakeContainer& container, std::string action, RealTime time) {
    return {.type = "network",
            .action = std::move(action),
            .id = hex_id(0),
            .attributes = {{"container", container.spec.id}, {"name", "none"}, {"type", "null"}},
            .time = time};
}

}  // namespace shorewatch::fakes
