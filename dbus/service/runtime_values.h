// What the runtime tells, as values for the bus.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "daemon/runtime/runtime.h"
#include "dbus/compat/sdbus.h"

namespace shorewatch::bus {

using Stdio = std::map<std::string, sdbus::UnixFd>;
using ProcessRows = std::vector<sdbus::Struct<std::uint32_t, std::string, std::vector<std::string>>>;
using RuntimeRows = std::vector<sdbus::Struct<std::string, Dictionary>>;

[[nodiscard]] Stdio stdio_of(ClientEnds& ends);  // which it takes
[[nodiscard]] Dictionary metrics_of(const Metrics& metrics);
[[nodiscard]] ProcessRows rows_of(const std::vector<SummaryRow>& rows);
[[nodiscard]] RuntimeRows rows_of(const ContainerListing& listing);
[[nodiscard]] Dictionary info_of(const RuntimeSignal& signal);

}  // namespace shorewatch::bus
