// Podman's libpod API as a rest::Dialect, with what it must remember to make lists complete.
#pragma once

#include <string>
#include <unordered_map>

#include "engines/rest/dialect.h"

namespace shorewatch::podman {

inline constexpr std::string_view type_id = "podman.io";

class PodmanDialect final : public rest::Dialect {
  public:
    [[nodiscard]] std::string_view type() const override { return type_id; }

    [[nodiscard]] std::string_view ping_path() const override { return "/libpod/_ping"; }
    [[nodiscard]] rest::Greeting decode_ping(const http::Head& head) override;

    [[nodiscard]] std::string_view info_path() const override { return "/libpod/info"; }
    [[nodiscard]] rest::EngineInfo decode_info(std::string json) override;

    [[nodiscard]] std::string events_path(RealTime since) const override;
    [[nodiscard]] rest::EventLine decode_event(std::string json) override;

    [[nodiscard]] std::string_view list_path() const override;
    // A run that was inspected before is told whole, any other in outline: the list has neither its exact
    // start nor whether it is privileged.
    [[nodiscard]] rest::ContainerList decode_list(std::string json) override;

    [[nodiscard]] std::string container_path(const std::string& id) const override;
    [[nodiscard]] Inspection decode_inspection(std::string json) override;
    // The pod's name, where it has one that is not known yet.
    [[nodiscard]] std::string supplement_path(const Inspection& inspection) override;
    void supplement(Inspection& inspection, const std::optional<std::string>& json) override;

    // Docker's "t" is not looked at by libpod's own calls.
    [[nodiscard]] std::string_view stop_parameter() const override { return "timeout"; }

    [[nodiscard]] std::string_view root() const override { return "/libpod"; }
    [[nodiscard]] std::string pull_path(const std::string& image) const override;
    // The name is in the body.
    [[nodiscard]] std::string create_query(const ContainerPlan&) const override { return {}; }
    [[nodiscard]] std::string create_body(const ContainerPlan& plan, const StringPairs& hosts) const override;
    [[nodiscard]] bool links_by_address() const override { return true; }
    // Without the timeout, the container would be given ten seconds to stop.
    [[nodiscard]] std::string_view removal_query() const override { return "?force=true&v=true&timeout=0"; }

  private:
    [[nodiscard]] ContainerPtr with_known_pod(const ContainerPtr& container) const;
    [[nodiscard]] ContainerPtr with_known_run(const ContainerPtr& listed) const;
    void remember_pod(const std::string& id, const std::string& name);
    void remember_run(const Inspection& inspection);

    // Names by id: a pod keeps its name.
    std::unordered_map<std::string, std::string> pods_;
    // By id, as inspected. Of those that are over without a word, until the next list.
    std::unordered_map<std::string, ContainerPtr> runs_;
};

}  // namespace shorewatch::podman
