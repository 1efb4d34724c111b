// `wait --project` without a container: for the first container of a project, or the end of the last one.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "dbus/ctl/container_wait.h"

namespace shorewatch::ctl {

class ProjectWait final : public Wait {
  public:
    // what: started or exited. What is taken is of the project alone, and of engine, if that is given.
    ProjectWait(WaitFor what, std::string project, std::optional<std::string> engine);

    [[nodiscard]] std::optional<int> take(const WatchEvent& event) override;
    [[nodiscard]] bool asks_for_engines() const override;
    [[nodiscard]] std::optional<int> take(const std::vector<EngineInfo>& engines) override;

  private:
    [[nodiscard]] std::optional<int> see(const WatchEvent& event);

    WaitFor what_;
    std::string project_;
    std::optional<std::string> engine_;
    bool listed_ = false;
    std::map<std::string, std::string> alive_;  // the engine of each, by path
    std::set<std::string> unheard_of_;          // engines that had some before the daemon went
    bool seen_ = false;                         // has there ever been one?
};

}  // namespace shorewatch::ctl
