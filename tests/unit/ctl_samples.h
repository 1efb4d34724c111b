// What shorewatchctl is given to show in the tests, and where.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "dbus/ctl/properties.h"
#include "dbus/ctl/terminal.h"

namespace shorewatch::testing {

inline constexpr std::uint64_t second = 1'000'000;
inline constexpr std::uint64_t start = 1'795'305'893 * second + 123'456;  // 2026-11-22 00:04:53.123456 UTC

inline const ctl::Style file{};  // as written to a file: nothing cut, no colours
inline const ctl::Style coloured_file{.colour = true, .unicode = true, .width = std::nullopt};
inline const ctl::Style ascii_file{.colour = false, .unicode = false, .width = std::nullopt};

ctl::Style terminal(std::size_t width, bool unicode = true);

// Local time is what TZ says, for as long as this lives.
class TimeZone {
  public:
    explicit TimeZone(const char* zone);
    ~TimeZone();
    TimeZone(const TimeZone&) = delete;
    TimeZone& operator=(const TimeZone&) = delete;

  private:
    std::optional<std::string> before_;
};

std::vector<std::string> lines_of(const std::string& text);

// Of the engine docker and the project shop, but for the changes.
ctl::ContainerInfo container(const std::string& name,
                             const std::map<std::string, sdbus::Variant>& changes = {});
// Without an error, it has a version.
ctl::EngineInfo engine(const std::string& name, const std::string& state, const std::string& error = "");

}  // namespace shorewatch::testing
