// What a watcher tells the rest of the daemon: immutable changes, in the order in which they are true.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>

#include "engines/container.h"
#include "engines/engine_client.h"
#include "engines/support/timestamp.h"

namespace shorewatch {

class InitProcess;

// How the daemon learned of something.
enum class Cause {
    kernel,  // the kernel said so, of a process we hold
    event,   // the engine's event stream
    resync,  // the difference found by listing again after a gap
};

// A run began. A container with pid 0 was over before it could be inspected: it gets signals and no object.
struct ContainerStarted {
    ContainerPtr container;
    std::optional<RealTime> time;
    Cause cause = Cause::event;
    // Its initial process; null: it is not on this machine, could not be shown to be the container's, or is
    // over.
    std::shared_ptr<const InitProcess> process = {};
};

// The run that was announced last for this container is over. Unknown facts are absent.
struct ContainerExited {
    ContainerPtr container;
    std::optional<RealTime> time;
    std::optional<int> exit_code;  // 128+n for a signal n
    std::optional<bool> oom_killed;
    Cause cause = Cause::event;
};

// container is the state after the change.
struct ContainerPaused {
    ContainerPtr container;
    std::optional<RealTime> time;
    Cause cause = Cause::event;
};
struct ContainerUnpaused {
    ContainerPtr container;
    std::optional<RealTime> time;
    Cause cause = Cause::event;
};
struct ContainerRenamed {
    ContainerPtr container;
    std::string old_name;
    std::optional<RealTime> time;
    Cause cause = Cause::event;
};

enum class EngineState {
    unavailable,    // never reached since it was configured, and not reachable now
    connecting,     // a connection is being made
    synchronizing,  // connected; the first list is being taken, or the difference after a gap
    watching,       // what is published is what is
    lost,           // was watched, is not reachable; what is published is what was last known
};
[[nodiscard]] const char* to_string(EngineState state);
[[nodiscard]] const char* to_string(Cause cause);

// All there is to say of an engine but its containers.
struct EngineStatus {
    EngineState state = EngineState::unavailable;
    std::string last_error;  // empty while all is well; else a sentence for a person
    RealTime since;          // when this state began
    EngineIdentity identity;
};
struct EngineChanged {
    EngineStatus status;
};

using Change = std::variant<ContainerStarted, ContainerExited, ContainerPaused, ContainerUnpaused,
                            ContainerRenamed, EngineChanged>;

}  // namespace shorewatch
