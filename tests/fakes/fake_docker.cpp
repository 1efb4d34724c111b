#include "tests/fakes/fake_docker.h"

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "tests/fakes/docker_server.h"

namespace shorewatch::fakes {

FakeDocker::FakeDocker() : FakeDocker(Options{}) {}

FakeDocker::FakeDocker(Options options) : server_(std::make_unique<DockerServer>(std::move(options))) {}

FakeDocker::~FakeDocker() = default;

Endpoint FakeDocker::endpoint() const {
    return server_->listener.endpoint();
}

std::filesystem::path FakeDocker::socket() const {
    return server_->listener.socket();
}

void FakeDocker::act(Tell tell, const std::function<DockerModel::Events(DockerModel&)>& act) {
    const std::lock_guard lock(server_->world.mutex);
    for (DockerEvent& event : act(server_->world.model)) {
        if (tell == Tell::never) continue;
        if (tell == Tell::twice) server_->publish(event);
        server_->publish(std::move(event));
    }
}

std::string FakeDocker::create(ContainerSpec spec, Tell tell) {
    std::string id;
    act(tell, [&](DockerModel& model) {
        auto events = model.create(std::move(spec));
        id = model.last_id();
        return events;
    });
    return id;
}

std::string FakeDocker::start(ContainerSpec spec, Tell tell) {
    const std::string id = create(std::move(spec), tell);
    start(id, tell);
    return id;
}

void FakeDocker::start_again(const std::string& id, Tell tell) {
    act(tell, [&](DockerModel& model) { return model.start(id); });
}

void FakeDocker::start_as(std::uint32_t pid, const std::string& id, Tell tell) {
    act(tell, [&](DockerModel& model) { return model.start(id, pid); });
}

void FakeDocker::die(const std::string& id, int exit_code, Tell tell) {
    act(tell, [&](DockerModel& model) { return model.die(id, exit_code); });
}

void FakeDocker::die_to_restart(const std::string& id, int exit_code, Tell tell) {
    act(tell, [&](DockerModel& model) { return model.die_to_restart(id, exit_code); });
}

void FakeDocker::kill(const std::string& id, int signal, Tell tell) {
    act(tell, [&](DockerModel& model) { return model.kill(id, signal); });
}

void FakeDocker::stop(const std::string& id, int exit_code, Tell tell) {
    act(tell, [&](DockerModel& model) { return model.stop(id, exit_code); });
}

void FakeDocker::restart(const std::string& id, int exit_code, Tell tell) {
    act(tell, [&](DockerModel& model) { return model.restart(id, exit_code); });
}

void FakeDocker::pause(const std::string& id, Tell tell) {
    act(tell, [&](DockerModel& model) { return model.pause(id); });
}

void FakeDocker::unpause(const std::string& id, Tell tell) {
    act(tell, [&](DockerModel& model) { return model.unpause(id); });
}

void FakeDocker::rename(const std::string& id, const std::string& new_name, Tell tell) {
    act(tell, [&](DockerModel& model) { return model.rename(id, new_name); });
}

void FakeDocker::oom(const std::string& id, Tell tell) {
    act(tell, [&](DockerModel& model) { return model.oom(id); });
}

void FakeDocker::remove(const std::string& id, Tell tell) {
    act(tell, [&](DockerModel& model) { return model.remove(id); });
}

void FakeDocker::exec(const std::string& id, const std::string& command, int exit_code, Tell tell) {
    act(tell, [&](DockerModel& model) { return model.exec(id, command, exit_code); });
}

void FakeDocker::probe_health(const std::string& id, Tell tell) {
    act(tell, [&](DockerModel& model) { return model.probe_health(id); });
}

FakeContainer FakeDocker::container(const std::string& id) const {
    const std::lock_guard lock(server_->world.mutex);
    const FakeContainer* found = server_->world.model.find(id);
    if (found == nullptr) throw std::logic_error("there is no container " + id);
    return *found;
}

std::vector<std::string> FakeDocker::listed() const {
    const std::lock_guard lock(server_->world.mutex);
    std::vector<std::string> ids;
    for (const FakeContainer* container : server_->world.model.containers()) {
        if (container->in_list()) ids.push_back(container->spec.id);
    }
    std::ranges::sort(ids);
    return ids;
}

void FakeDocker::hold_events() {
    const std::lock_guard lock(server_->world.mutex);
    server_->world.holding = true;
}

std::vector<DockerEvent> FakeDocker::held_events() const {
    const std::lock_guard lock(server_->world.mutex);
    return server_->world.held;
}

void FakeDocker::release_event(std::size_t place) {
    const std::lock_guard lock(server_->world.mutex);
    auto& held = server_->world.held;
    DockerEvent event = std::move(held.at(place));
    held.erase(held.begin() + static_cast<std::ptrdiff_t>(place));
    const bool holding = std::exchange(server_->world.holding, false);
    server_->publish(std::move(event));
    server_->world.holding = holding;
}

void FakeDocker::release_events() {
    std::vector<std::size_t> order(held_events().size());
    for (std::size_t place = 0; place < order.size(); ++place)
        order[place] = place;
    release_events(order);
}

void FakeDocker::release_events(const std::vector<std::size_t>& order) {
    const std::lock_guard lock(server_->world.mutex);
    const auto held = std::exchange(server_->world.held, {});
    server_->world.holding = false;
    for (const std::size_t place : order)
        server_->publish(held.at(place));
}

void FakeDocker::emit(DockerEvent event) {
    const std::lock_guard lock(server_->world.mutex);
    if (event.time == RealTime{}) event.time = server_->world.model.now();
    server_->publish(std::move(event));
}

void FakeDocker::stream_text(std::string text) {
    const std::lock_guard lock(server_->world.mutex);
    server_->send_to_streams({.kind = StreamItem::Kind::text, .text = std::move(text)});
}

void FakeDocker::stream_bytes(std::string bytes) {
    const std::lock_guard lock(server_->world.mutex);
    server_->send_to_streams({.kind = StreamItem::Kind::bytes, .text = std::move(bytes)});
}

void FakeDocker::end_streams() {
    const std::lock_guard lock(server_->world.mutex);
    server_->send_to_streams({.kind = StreamItem::Kind::end});
}

void FakeDocker::cut_streams() {
    const std::lock_guard lock(server_->world.mutex);
    server_->send_to_streams({.kind = StreamItem::Kind::cut});
}

void FakeDocker::when(Request kind, Behaviour behaviour) {
    server_->add_behaviour(kind, std::move(behaviour));
}

void FakeDocker::behave() {
    server_->clear_behaviours();
}

void FakeDocker::kill_engine() {
    server_->on_engine([this] { server_->end_process(); });
}

void FakeDocker::shut_down() {
    server_->on_engine([this] {
        server_->listener.remove_socket();
        server_->end_process();
    });
}

void FakeDocker::come_back() {
    server_->on_engine([this] { server_->listen(); });
}

void FakeDocker::drop_connections() {
    server_->on_engine([this] { server_->http().close_connections(); });
}

void FakeDocker::stop_listening() {
    server_->on_engine([this] { server_->http().stop_listening(); });
}

void FakeDocker::remove_socket() {
    server_->on_engine([this] { server_->listener.remove_socket(); });
}

void FakeDocker::put_folder_in_place() {
    server_->on_engine([this] {
        server_->listener.put_folder_in_place();
        server_->end_process();
    });
}

void FakeDocker::set_socket_mode(std::filesystem::perms mode) {
    std::filesystem::permissions(socket(), mode);
}

void FakeDocker::freeze() {
    server_->on_engine([this] { server_->http().set_frozen(true); });
}

void FakeDocker::thaw() {
    server_->on_engine([this] { server_->http().set_frozen(false); });
}

void FakeDocker::set_facts(EngineFacts facts) {
    const std::lock_guard lock(server_->world.mutex);
    server_->world.facts = std::move(facts);
}

void FakeDocker::set_clock_offset(std::chrono::nanoseconds offset) {
    const std::lock_guard lock(server_->world.mutex);
    server_->world.model.set_clock_offset(offset);
}

Seen FakeDocker::seen() const {
    return server_->observations.seen();
}

bool FakeDocker::has_seen(const std::function<bool(const Seen&)>& happened) const {
    return server_->observations.has(happened);
}

bool FakeDocker::wait_until(const std::function<bool(const Seen&)>& happened, Clock::duration limit) const {
    return server_->observations.wait_until(happened, limit);
}

void FakeDocker::wakes(EventLoop& loop) {
    server_->observations.wakes(loop);
}

}  // namespace shorewatch::fakes
