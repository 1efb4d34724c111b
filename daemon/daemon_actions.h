// What the outside may ask of the daemon as a whole. Called on the main thread; none of it blocks.
#pragma once

#include <string_view>

namespace shorewatch {

class DaemonActions {
  public:
    // Reads the configuration again; engines that did not change are left alone. Throws ConfigurationError,
    // and then the old configuration stays in force.
    virtual void reload() = 0;

    // Has the engine listed again and the difference published. An engine that is not connected is tried at
    // once.
    virtual void resync(std::string_view engine) = 0;

  protected:
    ~DaemonActions() = default;
};

}  // namespace shorewatch
