// The daemon's face on the bus with nothing behind it but a registry, which is told what happens by lines of
// JSON.
//
// What the contract promises can so be tested without an engine, for any order of changes and any text. A
// line on stdin is one command, {"do": …}; each is answered, once it is done, by a line on stdout: {"did":
// …}, or
// {"event": …} for what the face asks of the daemon meanwhile. The end of stdin is the end.
#include <csignal>
#include <cstdio>
#include <exception>
#include <functional>
#include <iostream>
#include <map>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <fcntl.h>
#include <rapidjson/document.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "daemon/configuration.h"
#include "daemon/daemon_actions.h"
#include "daemon/registry.h"
#include "dbus/service/bus_face.h"
#include "engines/support/event_loop.h"
#include "engines/support/text.h"

namespace shorewatch {

namespace {

using Json = rapidjson::Value;

std::string text(const Json& from, const char* key, const std::string& otherwise = "") {
    const auto found = from.FindMember(key);
    if (found == from.MemberEnd()) return otherwise;
    // The registry's strings are valid, whatever an engine said.
    return valid_utf8({found->value.GetString(), found->value.GetStringLength()});
}

template <typename Number>
std::optional<Number> number(const Json& from, const char* key) {
    const auto found = from.FindMember(key);
    if (found == from.MemberEnd()) return std::nullopt;
    return static_cast<Number>(found->value.GetInt64());
}

bool flag(const Json& from, const char* key) {
    const auto found = from.FindMember(key);
    return found != from.MemberEnd() && found->value.GetBool();
}

std::optional<RealTime> time(const Json& from, const char* key) {
    const auto usec = number<std::int64_t>(from, key);
    if (!usec) return std::nullopt;
    return RealTime(std::chrono::microseconds(*usec));
}

Cause cause(const Json& from) {
    const std::string name = text(from, "cause", "event");
    return name == "kernel" ? Cause::kernel : name == "resync" ? Cause::resync : Cause::event;
}

EngineState state(const Json& from) {
    static const std::map<std::string, EngineState> states = {{"unavailable", EngineState::unavailable},
                                                              {"connecting", EngineState::connecting},
                                                              {"synchronizing", EngineState::synchronizing},
                                                              {"watching", EngineState::watching},
                                                              {"lost", EngineState::lost}};
    return states.at(text(from, "state"));
}

Container container(const Json& from) {
    Container made;
    made.id = text(from, "id");
    made.name = text(from, "name", made.id);
    made.project = text(from, "project");
    made.image = text(from, "image");
    made.pid = number<std::uint32_t>(from, "pid").value_or(0);
    made.started = time(from, "started");
    made.paused = flag(from, "paused");
    made.privileged = flag(from, "privileged");
    made.name_space = text(from, "namespace");
    made.pod = text(from, "pod");
    made.pod_id = text(from, "pod_id");
    made.sandbox = flag(from, "sandbox");
    std::vector<Labels::Entry> labels;
    if (const auto found = from.FindMember("labels"); found != from.MemberEnd()) {
        for (const auto& label : found->value.GetObject()) {
            labels.emplace_back(std::string(label.name.GetString(), label.name.GetStringLength()),
                                std::string(label.value.GetString(), label.value.GetStringLength()));
        }
    }
    made.labels = std::make_shared<const Labels>(std::move(labels));
    return made;
}

EngineError::Kind error_kind(const std::string& name) {
    using Kind = EngineError::Kind;
    static const std::map<std::string, Kind> kinds = {{"unreachable", Kind::unreachable},
                                                      {"timeout", Kind::timeout},
                                                      {"not_found", Kind::not_found},
                                                      {"protocol", Kind::protocol},
                                                      {"engine", Kind::engine},
                                                      {"not_alive", Kind::not_alive},
                                                      {"conflict", Kind::conflict},
                                                      {"not_supported", Kind::not_supported},
                                                      {"busy", Kind::busy},
                                                      {"invalid", Kind::invalid}};
    return kinds.at(name);
}

// A request in a word or two.
struct Word {
    std::string operator()(const ControlRequest::Pause&) const { return "pause"; }
    std::string operator()(const ControlRequest::Unpause&) const { return "unpause"; }
    std::string operator()(const ControlRequest::Stop& stop) const {
        return "stop " + std::to_string(stop.timeout.count());
    }
    std::string operator()(const ControlRequest::Kill& kill) const {
        return "kill " + std::to_string(kill.signal);
    }
    std::string operator()(const ControlRequest::Inspect&) const { return "inspect"; }
};

void say(const char* kind, const std::string& what) {
    std::cout << "{\"" << kind << "\": \"" << what << "\"}" << std::endl;
}

class Driver final : private DaemonActions {
  public:
    explicit Driver(bool user)
        : face_(loop_, registry_, *this,
                {.user = user,
                 .instance_id = "0123456789abcdef0123456789abcdef",
                 .fatal = [](const std::string& why) { say("event", "fatal " + why); }}) {
        input_ = loop_.on_io(STDIN_FILENO, EPOLLIN, [this](std::uint32_t) { read_commands(); });
    }

    void run() {
        face_.connect();
        loop_.run();
    }

  private:
    void reload() override {
        if (!reload_error_.empty()) throw ConfigurationError(reload_error_);
        say("event", "reload");
    }
    void resync(std::string_view engine) override { say("event", "resync " + std::string(engine)); }
    void control(std::string_view engine, ControlRequest request, ControlReply reply) override {
        const std::string what = std::visit(Word{}, request.action);
        say("event", "control " + std::string(engine) + " " + request.container + " " + what);
        waiting_.push_back({what == "inspect", std::move(reply)});
        if (!hold_control_) loop_.post([this] { answer_control(); });
    }
    // Played engines have none.
    void runtime(std::string_view, RuntimeRequest, RuntimeReply reply) override {
        loop_.post([reply] { reply(EngineError{EngineError::Kind::not_supported, "no runtime"}); });
    }
    [[nodiscard]] TaskEngine* tasks() override { return nullptr; }
    [[nodiscard]] std::string tasks_engine() const override { return {}; }
    [[nodiscard]] std::size_t queue_length() const override { return queue_length_; }

    // Answers all that wait, each as answer_with says.
    void answer_control() {
        for (const auto& [inspection, reply] : std::exchange(waiting_, {})) {
            if (control_error_) {
                reply(*control_error_);
            } else {
                reply(inspection ? R"({"Id":"played"})" : std::string{});
            }
        }
    }

    void read_commands() {
        char buffer[65536];
        const ssize_t size = ::read(STDIN_FILENO, buffer, sizeof buffer);
        if (size <= 0) return loop_.stop();
        pending_.append(buffer, static_cast<std::size_t>(size));
        for (std::size_t end = 0; (end = pending_.find('\n')) != std::string::npos;) {
            rapidjson::Document command;
            command.Parse(pending_.c_str(), end);
            pending_.erase(0, end + 1);
            if (command.HasParseError()) throw std::invalid_argument("not JSON");
            obey(command);
            say("did", text(command, "do"));
        }
    }

    void obey(const Json& command) {
        static const std::map<std::string, void (Driver::*)(const Json&)> commands = {
            {"publish", &Driver::publish},
            {"add_engine", &Driver::add_engine},
            {"remove_engine", &Driver::remove_engine},
            {"configured", &Driver::configured},
            {"status", &Driver::status},
            {"start", &Driver::start},
            {"exit", &Driver::exit},
            {"pause", &Driver::pause},
            {"unpause", &Driver::unpause},
            {"rename", &Driver::rename},
            {"start_many", &Driver::start_many},
            {"fail_reload", &Driver::fail_reload},
            {"queue", &Driver::queue},
            {"fail_control", &Driver::fail_control},
            {"hold_control", &Driver::hold_control},
            {"answer_control", &Driver::release_control},
            {"flood", &Driver::flood}};
        (this->*commands.at(text(command, "do")))(command);
    }

    void publish(const Json&) { face_.publish(); }
    void configured(const Json&) { registry_.configured(); }
    void fail_reload(const Json& command) { reload_error_ = text(command, "why"); }
    // What is asked of engines fails from now on, with this kind of error; "": it does not.
    void fail_control(const Json& command) {
        const std::string kind = text(command, "kind");
        control_error_.reset();
        if (!kind.empty()) control_error_ = EngineError{error_kind(kind), text(command, "why", "no")};
    }
    // What is asked of engines waits from now on, for answer_control.
    void hold_control(const Json&) { hold_control_ = true; }
    void release_control(const Json&) {
        hold_control_ = false;
        answer_control();
    }
    void queue(const Json& command) { queue_length_ = number<std::size_t>(command, "length").value(); }

    void add_engine(const Json& command) {
        registry_.add_engine(text(command, "name"), text(command, "type", "docker.com"),
                             text(command, "api", "unix:///run/docker.sock"));
    }
    void remove_engine(const Json& command) { registry_.remove_engine(text(command, "name")); }

    void status(const Json& command) {
        EngineStatus now;
        now.state = state(command);
        now.last_error = text(command, "last_error");
        now.since = time(command, "since").value_or(RealTime{});
        now.identity = {text(command, "id"), text(command, "version"),
                        number<std::uint32_t>(command, "pid").value_or(0)};
        registry_.apply(text(command, "engine", "docker"), EngineChanged{now});
    }

    template <typename Change>
    void apply(const Json& command, Change change) {
        registry_.apply(text(command, "engine", "docker"), Change(std::move(change)));
    }

    void start(const Json& command) {
        apply(command, ContainerStarted{.container = std::make_shared<const Container>(container(command)),
                                        .time = time(command, "time"),
                                        .cause = cause(command)});
    }

    void exit(const Json& command) {
        std::optional<bool> oom;
        if (command.HasMember("oom_killed")) oom = flag(command, "oom_killed");
        apply(command, ContainerExited{.container = known(command),
                                       .time = time(command, "time"),
                                       .exit_code = number<int>(command, "exit_code"),
                                       .oom_killed = oom,
                                       .cause = cause(command)});
    }

    void pause(const Json& command) {
        apply(command, ContainerPaused{.container = changed(command)->with_paused(true),
                                       .time = time(command, "time"),
                                       .cause = cause(command)});
    }
    void unpause(const Json& command) {
        apply(command, ContainerUnpaused{.container = changed(command)->with_paused(false),
                                         .time = time(command, "time"),
                                         .cause = cause(command)});
    }
    void rename(const Json& command) {
        const ContainerPtr before = changed(command);
        apply(command, ContainerRenamed{.container = before->with_name(text(command, "to")),
                                        .old_name = before->name,
                                        .time = time(command, "time"),
                                        .cause = cause(command)});
    }

    // count containers with so many labels, of 20 bytes the value.
    void start_many(const Json& command) {
        const int count = number<int>(command, "count").value();
        for (int i = 0; i < count; ++i) {
            Container made;
            made.id = std::to_string(1'000'000 + i) + std::string(57, 'a');
            made.name = "container-" + std::to_string(i);
            made.project = "project-" + std::to_string(i % 100);
            made.image = "registry.example/team/image:1.2.3";
            made.pid = static_cast<std::uint32_t>(i + 1);
            made.started = RealTime(std::chrono::seconds(1'700'000'000));
            std::vector<Labels::Entry> labels;
            for (int j = 0; j < number<int>(command, "labels").value_or(0); ++j) {
                labels.emplace_back("com.example.label." + std::to_string(j), std::string(20, 'v'));
            }
            made.labels = std::make_shared<const Labels>(std::move(labels));
            apply(command, ContainerStarted{.container = std::make_shared<const Container>(std::move(made)),
                                            .time = std::nullopt,
                                            .cause = Cause::resync});
        }
    }

    // Pauses and unpauses a container so many times, with the loop's turn after each.
    void flood(const Json& command) {
        const ContainerPtr of = changed(command);
        flood_left_ = number<int>(command, "count").value();
        flood_ = [this, of] {
            if (flood_left_-- <= 0) return say("event", "flooded");
            registry_.apply("docker", ContainerPaused{of->with_paused(true), {}, Cause::event});
            registry_.apply("docker", ContainerUnpaused{of->with_paused(false), {}, Cause::event});
            loop_.post(flood_);
        };
        loop_.post(flood_);
    }

    // As published; of a run without an object, what the command says.
    ContainerPtr known(const Json& command) const {
        const PublishedEngine* engine = registry_.engine(text(command, "engine", "docker"));
        const ContainerPtr found =
            engine != nullptr ? engine->portfolio().find(text(command, "id")) : nullptr;
        return found ? found : std::make_shared<const Container>(container(command));
    }

    ContainerPtr changed(const Json& command) const {
        const PublishedEngine* engine = registry_.engine(text(command, "engine", "docker"));
        if (engine == nullptr) throw std::invalid_argument("no such engine");
        const ContainerPtr found = engine->portfolio().container(text(command, "id"));
        if (!found) throw std::invalid_argument("no such container");
        return found;
    }

    EventLoop loop_;
    Registry registry_;
    bus::BusFace face_;
    EventSource input_;
    std::string pending_;
    std::string reload_error_;
    std::size_t queue_length_ = 0;
    std::optional<EngineError> control_error_;
    bool hold_control_ = false;
    std::vector<std::pair<bool, ControlReply>> waiting_;  // is it an inspection?
    int flood_left_ = 0;
    std::function<void()> flood_;
};

}  // namespace

}  // namespace shorewatch

int main(int argc, char** argv) {
    std::signal(SIGPIPE, SIG_IGN);
    try {
        const bool user = argc > 1 && std::string(argv[1]) == "--user";
        shorewatch::Driver(user).run();
    } catch (const std::exception& error) {
        std::cerr << error.what() << std::endl;
        return 1;
    }
    return 0;
}
