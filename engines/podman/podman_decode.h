// What the JSON of Podman's libpod API says, in this project's terms. Pure functions.
//
// Each takes the text over, to parse it in place, and throws json::Malformed when it is not what was asked
// for. Single entries that make no sense are skipped and counted instead: one odd container must not hide the
// others.
#pragma once

#include <string>
#include <string_view>

#include "engines/container.h"
#include "engines/engine_client.h"
#include "engines/rest/dialect.h"

namespace shorewatch::podman {

// Labels that no user set, as sealwatcher and whalewatcher add them. Of the last two, only the presence
// counts.
inline constexpr std::string_view pod_name_label = "io.github.thediveo/podman/podname";
inline constexpr std::string_view pod_id_label = "io.github.thediveo/podman/podid";
inline constexpr std::string_view infra_label = "io.github.thediveo/podman/infra";
inline constexpr std::string_view privileged_label = "github.com/thediveo/whalewatcher/moby/privileged";

// The version in the Libpod-Api-Version header ("4.3.1", "5.4.2-dev"), or why it can't be watched.
[[nodiscard]] rest::Greeting decode_version(const std::string* header);

// One object of GET /libpod/events. The container has its pod's id where the event tells it, but not the
// pod's name.
[[nodiscard]] rest::EventLine decode_event(std::string json);

// GET /libpod/containers/json?all=true, the living only. They are told with pid, pod and infra, but with
// their start in whole seconds, cut off, and without whether they are privileged.
[[nodiscard]] rest::ContainerList decode_list(std::string json);

// GET /libpod/containers/ID/json. The container has its pod's id, but not the pod's name.
[[nodiscard]] Inspection decode_inspection(std::string json);

// GET /libpod/pods/ID/json: the pod's name.
[[nodiscard]] std::string decode_pod_name(std::string json);

// GET /libpod/info. Podman has no id of its own: containers belong to the store that they are in, so the id
// is made of the host's name and the store's folder, "host:/var/lib/containers/storage".
[[nodiscard]] rest::EngineInfo decode_info(std::string json);

// container as one of a pod of this name, with the label that says so.
[[nodiscard]] ContainerPtr with_pod_name(const Container& container, const std::string& name);

}  // namespace shorewatch::podman
