// What the commands show to people: tables, a tree, the details of one container. Pure text from values.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "dbus/ctl/bus_client.h"
#include "dbus/ctl/process_place.h"
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

// PID, ENGINE, PROJECT, NAME, ID, in the order given; a process in no container says so.
[[nodiscard]] std::string process_table(const std::vector<ProcessPlace>& places, bool full_ids,
                                        const Style& style);

// For each a line of its container, and below it its chain, a line for each process.
[[nodiscard]] std::string process_trees(const std::vector<ProcessPlace>& places, const Style& style);

// INTERFACE, ADDRESS, in the order given.
[[nodiscard]] std::string address_table(const std::vector<Address>& addresses, const Style& style);

// A line for each property; those of later versions of the daemon, in JSON, at the end.
[[nodiscard]] std::string container_details(const ContainerInfo& container, std::uint64_t now,
                                            const Style& style);

}  // namespace shorewatch::ctl
