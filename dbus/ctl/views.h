// What the commands show to people: tables, a tree, the details of one container. Pure text from values.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "dbus/ctl/properties.h"
#include "dbus/ctl/terminal.h"

namespace shorewatch::ctl {

// NAME, ENGINE, PROJECT, IMAGE, PID, STATE, AGE, ID, in the order of shown_before(). full_ids: not the first
// 12 characters only. now: µs since 1970, for ages.
[[nodiscard]] std::string container_table(std::vector<ContainerInfo> containers, bool full_ids,
                                          std::uint64_t now, const Style& style);

// NAME, TYPE, STATE, CONTAINERS, VERSION, API, SINCE, ERROR, in the order given.
[[nodiscard]] std::string engine_table(const std::vector<EngineInfo>& engines, std::uint64_t now,
                                       const Style& style);

// Engine, project, container, each a line; engines without containers too.
[[nodiscard]] std::string tree(const std::vector<EngineInfo>& engines, std::vector<ContainerInfo> containers,
                               const Style& style);

// A line for each property; those of later versions of the daemon, in JSON, at the end.
[[nodiscard]] std::string container_details(const ContainerInfo& container, std::uint64_t now,
                                            const Style& style);

}  // namespace shorewatch::ctl
