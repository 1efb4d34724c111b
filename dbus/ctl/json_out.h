// The answers for scripts. Names of properties and details are those of the D-Bus API.
//
// Everything but ASCII is written as \uNNNN: what a container is called can't steer a terminal, in any
// locale.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "dbus/ctl/bus_client.h"
#include "dbus/ctl/process_place.h"
#include "dbus/ctl/properties.h"
#include "dbus/ctl/runtime/runtime_client.h"
#include "dbus/ctl/runtime/runtime_views.h"
#include "dbus/ctl/tasks/task_client.h"
#include "dbus/ctl/watch_event.h"

namespace shorewatch::ctl {

// An array of objects, or an object, on several lines, with a newline at the end: "Path", and all properties.
[[nodiscard]] std::string to_json(const std::vector<ContainerInfo>& containers);
[[nodiscard]] std::string to_json(const std::vector<EngineInfo>& engines);
[[nodiscard]] std::string to_json(const ContainerInfo& container);

[[nodiscard]] std::string to_json(const std::vector<TaskInfo>& tasks);
[[nodiscard]] std::string to_json(const TaskInfo& task);

// "Id", "Names", "Size", "CreatedAt".
[[nodiscard]] std::string to_json(const std::vector<ImageInfo>& images);

// "pid", "container" (null, or an object as above), and if wanted "chain": "pid" and "command" of each.
[[nodiscard]] std::string to_json(const std::vector<ProcessPlace>& places, bool chains);
// "interface" and "address".
[[nodiscard]] std::string to_json(const std::vector<Address>& addresses);

// "Id", "Engine", and all properties.
[[nodiscard]] std::string to_json(const std::vector<RuntimeContainer>& containers);
// For each an object on a line: "id", "read_at", "cpu_time", "cpu_percent", "memory", "memory_limit",
// "bytes_read", "bytes_written", "processes", "process_limit"; what is not known is null.
[[nodiscard]] std::string to_json(const std::vector<UsageRow>& rows);

// JSON of somebody else's, written as all is here, each number as it was; nothing when it is no JSON, or
// nested more than 100 deep.
[[nodiscard]] std::optional<std::string> ascii_json(const std::string& text);

// A value on one line, without a newline; "null" for one of a type that is not known here.
[[nodiscard]] std::string to_json(const sdbus::Variant& value);

// An object on one line, without a newline: "event", "received" (µs since 1970), and what belongs to the
// event.
[[nodiscard]] std::string to_json(const WatchEvent& event);
// The same: "arn", "container" where it is of one, "status", "reason", "path", "sequence", "details".
[[nodiscard]] std::string to_json(const TaskEvent& event);

}  // namespace shorewatch::ctl
