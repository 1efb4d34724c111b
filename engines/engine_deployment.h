// EngineDeployment: what an engine can do for whoever declares what shall run: it pulls images, makes
// containers, starts them and removes them with what belongs to them. Docker and Podman can.
//
// As EngineControl, which stops and kills: on the loop's thread only, nothing blocks, answers come as
// callbacks on the loop, never from within the call that asked, and calls end unanswered with the stream of
// the client whose part this is. What an engine answers at once has a deadline as other questions have;
// pulling, making, starting and removing end after far longer than anybody waits: whoever asks has a deadline
// of its own, and forgets the call.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "engines/engine_control.h"
#include "engines/result.h"
#include "engines/support/timestamp.h"

namespace shorewatch {

using StringPairs = std::vector<std::pair<std::string, std::string>>;

// Who we are at a registry. Never in a journal, an error or a file of ours.
struct RegistryCredentials {
    std::string username;
    std::string password;

    bool operator==(const RegistryCredentials&) const = default;
};

struct ContainerMount {
    std::string source;  // an absolute path of the host, or the name of a volume of the engine
    std::string path;    // within the container, absolute
    bool read_only = false;

    bool operator==(const ContainerMount&) const = default;
};

struct PortMapping {
    enum class Protocol { tcp, udp };

    std::uint16_t container_port = 0;
    std::uint16_t host_port = 0;  // 0: the engine chooses one
    Protocol protocol = Protocol::tcp;

    bool operator==(const PortMapping&) const = default;
};

// A container as it is to be made.
struct ContainerPlan {
    std::string name;
    std::string image;
    std::optional<std::vector<std::string>> entry_point = {};  // nothing: the image's
    std::optional<std::vector<std::string>> command = {};      // nothing: the image's
    StringPairs environment = {};
    StringPairs labels = {};
    std::uint32_t cpu_shares = 0;                                 // 0: the engine's default
    std::uint64_t memory_bytes = 0;                               // 0: no limit
    std::uint64_t memory_reservation_bytes = 0;                   // a soft limit; 0: none
    std::vector<std::pair<std::string, std::string>> links = {};  // a container's id, and the name it gets
    std::vector<std::pair<std::string, bool>> volumes_from = {};  // a container's id, and whether read only
    std::vector<ContainerMount> mounts = {};
    std::vector<PortMapping> ports = {};

    bool operator==(const ContainerPlan&) const = default;
};

// A container that was made, as the engine knows it, whether it runs or not.
struct DeployedContainer {
    // created: has never run. stopped: has run and ended, or the engine has given it up.
    enum class State { created, running, stopped };

    std::string id;
    std::string name;
    StringPairs labels = {};
    State state = State::created;       // frozen and restarting ones are running
    std::optional<int> exit_code = {};  // of a stopped one; 128+n for a signal n
    std::optional<RealTime> started = {};
    std::optional<RealTime> finished = {};
    bool oom_killed = false;
    std::string error = {};               // what the engine says of a start that failed; empty: nothing
    std::vector<PortMapping> ports = {};  // of a running one, with the host's ports as they are

    bool operator==(const DeployedContainer&) const = default;
};

// An image that is at the engine, whoever pulled or built it.
struct DeployedImage {
    std::string id;                       // hexadecimal digits, the same at both engines
    std::vector<std::string> names = {};  // "host/name:tag", sorted, each once; none: it has lost its name
    std::uint64_t size = 0;               // in bytes, layers shared with others included; 0: not known
    std::optional<RealTime> created = {};

    bool operator==(const DeployedImage&) const = default;
};

class EngineDeployment {
  public:
    using Done = EngineControl::Done;
    using TextReply = EngineControl::TextReply;
    using ContainerReply = std::function<void(Result<DeployedContainer>)>;
    using ContainersReply = std::function<void(Result<std::vector<DeployedContainer>>)>;
    using ImagesReply = std::function<void(Result<std::vector<DeployedImage>>)>;

    // Past these, images are not listed: a list fits into a message of the system's bus (32 MiB).
    static constexpr std::size_t most_images = 10'000;
    static constexpr std::size_t most_image_names = 50'000;                           // of all of them
    static constexpr std::size_t longest_image_names = std::size_t{8} * 1024 * 1024;  // of all, in bytes

    virtual ~EngineDeployment() = default;
    EngineDeployment(const EngineDeployment&) = delete;
    EngineDeployment& operator=(const EngineDeployment&) = delete;

    // Fetches image ("name", "name:tag", "host:port/name@sha256:…"; without a tag "latest") from its
    // registry, also when it is there. The engine's own words in the error, which it may send within an
    // answer that says all is well. credentials: nothing: as anyone.
    virtual void pull(const std::string& image, const std::optional<RegistryCredentials>& credentials,
                      Done reply) = 0;
    // Is it there already? no_image: it is not.
    virtual void find_image(const std::string& image, Done reply) = 0;
    // All that are there, but for those that are only part of another. Sorted by names, those that have none
    // at the end. protocol: there are more than the limits above.
    virtual void list_images(ImagesReply reply) = 0;

    // Makes a container; its full id. conflict: the name is taken; no_image: there is no such image here.
    virtual void create(const ContainerPlan& plan, TextReply reply) = 0;
    // Runs it. Done when it runs, or has run: also when it is running already.
    virtual void start(const std::string& id, Done reply) = 0;
    // By id or by name. not_found.
    virtual void inspect(const std::string& id_or_name, ContainerReply reply) = 0;
    // All that have this label, "key" or "key=value", alive or not. Fields that a list does not tell (exit
    // codes, times, ports) are left out.
    virtual void find_containers(const std::string& label, ContainersReply reply) = 0;
    // With its anonymous volumes; kills it when it still runs. not_found: it is not there (any more).
    virtual void remove(const std::string& id, Done reply) = 0;

    // A volume of the engine's local driver. Done also when it is there already.
    virtual void create_volume(const std::string& name, const StringPairs& labels, Done reply) = 0;
    // not_found; conflict: a container uses it.
    virtual void remove_volume(const std::string& name, Done reply) = 0;

  protected:
    EngineDeployment() = default;
};

}  // namespace shorewatch
