#include "tests/fakes/docker_json.h"

#include <array>
#include <cstdio>
#include <ctime>
#include <functional>

#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

namespace shorewatch::fakes {

namespace {

// From this version on events have nothing but Type, Action, Actor, scope and time.
constexpr ApiMinor events_without_old_fields = 52;

// RapidJSON's writer with keys and values in one call, so that an object reads like one.
class Json {
  public:
    using Block = std::function<void()>;

    [[nodiscard]] std::string text() const { return {buffer_.GetString(), buffer_.GetSize()}; }

    void object(const Block& members) {
        writer_.StartObject();
        members();
        writer_.EndObject();
    }
    void object(std::string_view key, const Block& members) {
        write_key(key);
        object(members);
    }
    void array(const Block& elements) {
        writer_.StartArray();
        elements();
        writer_.EndArray();
    }
    void array(std::string_view key, const Block& elements) {
        write_key(key);
        array(elements);
    }
    void element(std::string_view value) { write(value); }
    void member(std::string_view key, std::string_view value) {
        write_key(key);
        write(value);
    }
    void member(std::string_view key, const char* value) { member(key, std::string_view(value)); }
    void member(std::string_view key, bool value) {
        write_key(key);
        writer_.Bool(value);
    }
    void member(std::string_view key, std::int64_t value) {
        write_key(key);
        writer_.Int64(value);
    }

  private:
    void write_key(std::string_view key) {
        writer_.Key(key.data(), static_cast<rapidjson::SizeType>(key.size()));
    }
    void write(std::string_view text) {
        writer_.String(text.data(), static_cast<rapidjson::SizeType>(text.size()));
    }

    rapidjson::StringBuffer buffer_;
    rapidjson::Writer<rapidjson::StringBuffer> writer_{buffer_};
};

std::int64_t nanoseconds(RealTime time) {
    return time.time_since_epoch().count();
}

std::int64_t seconds(RealTime time) {
    return std::chrono::duration_cast<std::chrono::seconds>(time.time_since_epoch()).count();
}

std::string rfc3339(std::optional<RealTime> time) {
    if (!time) return "0001-01-01T00:00:00Z";
    const std::time_t whole = seconds(*time);
    std::tm parts{};
    gmtime_r(&whole, &parts);
    std::array<char, 64> text{};
    const std::size_t length = std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%S", &parts);
    std::snprintf(text.data() + length, text.size() - length, ".%09lldZ",
                  static_cast<long long>(nanoseconds(*time) % 1'000'000'000));
    return text.data();
}

void write_labels(Json& json, const ContainerSpec& spec) {
    json.object("Labels", [&] {
        for (const auto& [key, value] : spec.labels)
            json.member(key, value);
    });
}

void write_state(Json& json, const FakeContainer& container) {
    const bool ran = !container.runs.empty();
    const FakeRun run = ran ? container.runs.back() : FakeRun{};
    json.object("State", [&] {
        json.member("Status", status_of(container));
        json.member("Running", container.in_list());
        json.member("Paused", container.state == FakeContainer::State::paused);
        json.member("Restarting", container.state == FakeContainer::State::restarting);
        // dockerd learns of the OOM kill with the exit.
        json.member("OOMKilled", run.oom_killed && run.finished.has_value());
        json.member("Dead", false);
        json.member("Pid", std::int64_t{container.has_process() ? run.pid : 0});
        json.member("ExitCode", std::int64_t{run.exit_code});
        json.member("Error", "");
        json.member("StartedAt", rfc3339(ran ? std::optional(run.started) : std::nullopt));
        // Of the run before, while one is alive.
        const bool second = container.runs.size() > 1 && !run.finished;
        json.member("FinishedAt",
                    rfc3339(second ? container.runs[container.runs.size() - 2].finished : run.finished));
    });
}

void write_summary(Json& json, const FakeContainer& container) {
    json.object([&] {
        json.member("Id", container.spec.id);
        json.array("Names", [&] { json.element("/" + container.spec.name); });
        json.member("Image", container.spec.image);
        json.member("ImageID", "sha256:5acb500a32c1f277eac1a2211a1b4df26881da0a7293c8891b1f4b3b6536c4e3");
        json.member("Command", "sleep 1000");
        json.member("Created", seconds(container.created));
        json.array("Ports", [] {});
        write_labels(json, container.spec);
        json.member("State", status_of(container));
        json.member("Status", container.in_list() ? "Up 2 seconds" : "Exited (0) 2 seconds ago");
        json.object("HostConfig", [&] { json.member("NetworkMode", "none"); });
        json.array("Mounts", [] {});
    });
}

}  // namespace

const char* status_of(const FakeContainer& container) {
    switch (container.state) {
        case FakeContainer::State::created:
            return "created";
        case FakeContainer::State::running:
            return "running";
        case FakeContainer::State::paused:
            return "paused";
        case FakeContainer::State::restarting:
            return "restarting";
        case FakeContainer::State::exited:
            return "exited";
    }
    return "dead";
}

std::string event_line(const DockerEvent& event, ApiMinor api) {
    Json json;
    json.object([&] {
        if (event.type == "container" && api < events_without_old_fields) {
            json.member("status", event.action);
            json.member("id", event.id);
            json.member("from", event.from);
        }
        json.member("Type", event.type);
        json.member("Action", event.action);
        json.object("Actor", [&] {
            json.member("ID", event.id);
            json.object("Attributes", [&] {
                for (const auto& [key, value] : event.attributes)
                    json.member(key, value);
            });
        });
        json.member("scope", "local");
        json.member("time", seconds(event.time));
        json.member("timeNano", nanoseconds(event.time));
    });
    return json.text() + "\n";
}

std::string list_json(const std::vector<const FakeContainer*>& containers) {
    Json json;
    json.array([&] {
        for (const FakeContainer* container : containers)
            write_summary(json, *container);
    });
    return json.text() + "\n";
}

std::string inspect_json(const FakeContainer& container) {
    Json json;
    json.object([&] {
        json.member("Id", container.spec.id);
        json.member("Created", rfc3339(container.created));
        json.member("Path", "sleep");
        json.array("Args", [&] { json.element("1000"); });
        write_state(json, container);
        json.member("Image", "sha256:5acb500a32c1f277eac1a2211a1b4df26881da0a7293c8891b1f4b3b6536c4e3");
        json.member("Name", "/" + container.spec.name);
        json.member("RestartCount", std::int64_t{0});
        json.member("Driver", "vfs");
        json.object("HostConfig", [&] {
            json.member("NetworkMode", "none");
            json.member("PidMode", "");
            json.member("Privileged", container.spec.privileged);
        });
        json.array("Mounts", [] {});
        json.object("Config", [&] {
            json.member("Hostname", container.spec.id.substr(0, 12));
            json.array("Cmd", [&] { json.element("sleep"); });
            json.member("Image", container.spec.image);
            write_labels(json, container.spec);
        });
    });
    return json.text() + "\n";
}

std::string info_json(const EngineFacts& facts, const std::vector<const FakeContainer*>& containers,
                      RealTime now) {
    Json json;
    json.object([&] {
        json.member("ID", facts.id);
        json.member("Containers", static_cast<std::int64_t>(containers.size()));
        json.member("SystemTime", rfc3339(now));
        json.member("OperatingSystem", "Debian GNU/Linux 12 (bookworm)");
        json.member("Name", "fake");
        json.member("ServerVersion", facts.version);
        json.member("LiveRestoreEnabled", true);
    });
    return json.text() + "\n";
}

std::string version_json(const EngineFacts& facts) {
    Json json;
    json.object([&] {
        json.member("Version", facts.version);
        json.member("ApiVersion", "1." + std::to_string(facts.newest_api));
        json.member("MinAPIVersion", "1." + std::to_string(facts.oldest_api));
        json.member("Os", "linux");
    });
    return json.text() + "\n";
}

std::string error_json(std::string_view message) {
    Json json;
    json.object([&] { json.member("message", message); });
    return json.text() + "\n";
}

}  // namespace shorewatch::fakes
