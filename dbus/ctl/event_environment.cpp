#include "dbus/ctl/event_environment.h"

#include <cstdint>
#include <string_view>

namespace shorewatch::ctl {

namespace {

constexpr std::string_view prefix = "SHOREWATCH_";

class Variables {
  public:
    explicit Variables(std::vector<std::string> variables) : variables_(std::move(variables)) {}

    void add(std::string_view name, std::string_view value) {
        variables_.emplace_back(prefix).append(name).append("=").append(value);
    }
    void add_if_said(std::string_view name, std::string_view value) {
        if (!value.empty()) add(name, value);
    }
    void add_detail(std::string_view name, const std::optional<std::string>& value) {
        if (value) add_if_said(name, *value);
    }
    template <typename Number>
    void add_detail(std::string_view name, const std::optional<Number>& value) {
        if (value) add(name, std::to_string(*value));
    }

    [[nodiscard]] std::vector<std::string> take() { return std::move(variables_); }

  private:
    std::vector<std::string> variables_;
};

bool is_of_container(const WatchEvent& event) {
    return !event.id.empty();
}

}  // namespace

std::vector<std::string> event_environment(const WatchEvent& event,
                                           const std::vector<std::string>& inherited) {
    std::vector<std::string> kept;
    kept.reserve(inherited.size());
    for (const std::string& variable : inherited) {
        if (!variable.starts_with(prefix)) kept.push_back(variable);
    }
    Variables variables(std::move(kept));
    variables.add("EVENT", event_name(event.kind));
    variables.add_if_said("ENGINE", event.engine);
    variables.add_if_said("PATH", event.path);
    variables.add_if_said("STATE", event.state);
    if (event.sequence != 0) variables.add("SEQUENCE", std::to_string(event.sequence));
    if (is_of_container(event)) {
        variables.add("CONTAINER_ID", event.id);
        variables.add("CONTAINER_NAME", event.name);
        // Of none it is empty, which is known.
        variables.add("PROJECT", event.project);
    }
    variables.add_detail("OLD_NAME", find<std::string>(event.details, "OldName"));
    variables.add_detail("PID", find<std::uint32_t>(event.details, "PID"));
    variables.add_detail("IMAGE", find<std::string>(event.details, "Image"));
    variables.add_detail("EXIT_CODE", find<std::int32_t>(event.details, "ExitCode"));
    variables.add_detail("OOM_KILLED", find<bool>(event.details, "OOMKilled"));
    variables.add_detail("CAUSE", find<std::string>(event.details, "Cause"));
    variables.add_detail("TIMESTAMP", find<std::uint64_t>(event.details, "Timestamp"));
    variables.add_detail("LAST_ERROR", find<std::string>(event.details, "LastError"));
    variables.add_detail("RAN", event.ran);
    return variables.take();
}

}  // namespace shorewatch::ctl
