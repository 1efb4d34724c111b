#include "tests/unit/ctl_samples.h"

#include <cstdlib>
#include <ctime>
#include <sstream>
#include <utility>

namespace shorewatch::testing {

using namespace shorewatch::ctl;

Style terminal(std::size_t width, bool unicode) {
    return {.colour = false, .unicode = unicode, .width = width};
}

TimeZone::TimeZone(const char* zone) {
    if (const char* const before = std::getenv("TZ")) before_ = before;
    setenv("TZ", zone, 1);
    tzset();
}

TimeZone::~TimeZone() {
    before_ ? setenv("TZ", before_->c_str(), 1) : unsetenv("TZ");
    tzset();
}

std::vector<std::string> lines_of(const std::string& text) {
    std::vector<std::string> lines;
    std::istringstream stream(text);
    for (std::string line; std::getline(stream, line);)
        lines.push_back(line);
    return lines;
}

ContainerInfo container(const std::string& name, const std::map<std::string, sdbus::Variant>& changes) {
    const std::string id(64, 'a');
    Properties properties{{"Id", sdbus::Variant(id)},
                          {"Name", sdbus::Variant(name)},
                          {"Engine", sdbus::Variant(sdbus::ObjectPath("/org/shorewatch1/engines/docker"))},
                          {"Project", sdbus::Variant(std::string("shop"))},
                          {"Labels", sdbus::Variant(std::map<std::string, std::string>{{"tier", "web"}})},
                          {"PID", sdbus::Variant(std::uint32_t{4711})},
                          {"Image", sdbus::Variant(std::string("busybox:1"))},
                          {"StartedAt", sdbus::Variant(start)},
                          {"Paused", sdbus::Variant(false)}};
    for (const auto& [key, value] : changes)
        properties.insert_or_assign(key, value);
    return container_info("/org/shorewatch1/engines/docker/containers/" + name, std::move(properties));
}

EngineInfo engine(const std::string& name, const std::string& state, const std::string& error) {
    return engine_info("/org/shorewatch1/engines/" + name,
                       {{"Name", sdbus::Variant(name)},
                        {"Type", sdbus::Variant(std::string("docker.com"))},
                        {"State", sdbus::Variant(state)},
                        {"Version", sdbus::Variant(std::string(error.empty() ? "20.10" : ""))},
                        {"Api", sdbus::Variant(std::string("unix:///run/docker.sock"))},
                        {"LastError", sdbus::Variant(error)},
                        {"ContainerTotal", sdbus::Variant(std::uint32_t{3})},
                        {"Since", sdbus::Variant(start)}});
}

}  // namespace shorewatch::testing
