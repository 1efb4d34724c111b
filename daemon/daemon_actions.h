// What the outside may ask of the daemon as a whole. Called on the main thread; none of it blocks.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "daemon/control_request.h"
#include "daemon/runtime/runtime.h"
#include "daemon/tasks/task_engine.h"

namespace shorewatch {

class DaemonActions {
  public:
    // Reads the configuration again; engines that did not change are left alone. Throws ConfigurationError,
    // and then the old configuration stays in force.
    virtual void reload() = 0;

    // Has the engine listed again and the difference published. An engine that is not connected is tried at
    // once.
    virtual void resync(std::string_view engine) = 0;

    // Has an engine do something to one of its containers. reply is called once, from the main loop and never
    // within this call, with the engine's answer or with why there is none: also when there is no such
    // engine, or no more. Only the end of the daemon itself leaves it uncalled.
    virtual void control(std::string_view engine, ControlRequest request, ControlReply reply) = 0;

    // Has something done with an engine's runtime, on the thread that the engine is watched by. reply as
    // control() has it; not_supported: the engine has none.
    virtual void runtime(std::string_view engine, RuntimeRequest request, RuntimeReply reply) = 0;

    // The task engine; null: there is none, because tasks are switched off or there is no engine for them. It
    // comes and goes with the configuration and with engines that are found.
    [[nodiscard]] virtual TaskEngine* tasks() = 0;
    // The name of the engine that it deploys to; "": none yet.
    [[nodiscard]] virtual std::string tasks_engine() const = 0;

    // Changes that the watchers have handed over and that are not published yet.
    [[nodiscard]] virtual std::size_t queue_length() const = 0;

  protected:
    ~DaemonActions() = default;
};

}  // namespace shorewatch
