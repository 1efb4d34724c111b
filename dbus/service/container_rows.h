// The rows of ListContainers' answer, a type of their own that writes itself straight into the message.
//
// The type that sdbus-c++ has for them is made of Variants, each of which is a message of its own: 10,000
// containers take 200 MB as those, and longer to make than this whole answer takes. The build puts this type
// in its place in the generated adaptor.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <vector>

#include "daemon/registry.h"
#include "dbus/compat/sdbus.h"
#include "dbus/service/container_properties.h"

namespace shorewatch::bus {

class ContainerRows {
  public:
    // A bus disconnects the sender of a message that is larger than its limit: 32 MiB on a system bus of
    // dbus-daemon.
    static constexpr std::size_t largest_answer = std::size_t{30} * 1024 * 1024;

    // Whose engines are in the registry as long as the rows live.
    explicit ContainerRows(const std::vector<Registry::Found>& containers);

    [[nodiscard]] std::size_t size() const noexcept { return rows_.size(); }
    // Of the message, in bytes; too much rather than too little.
    [[nodiscard]] std::size_t size_on_wire() const;

    // Appends the path and all properties of org.shorewatch1.Container of each container.
    friend sdbus::Message& operator<<(sdbus::Message& message, const ContainerRows& rows);

  private:
    [[nodiscard]] static std::size_t size_on_wire(const ShownContainer& row);
    static void write(sd_bus_message* message, const ShownContainer& row);

    std::vector<ShownContainer> rows_;
};

}  // namespace shorewatch::bus

template <>
struct sdbus::signature_of<shorewatch::bus::ContainerRows>
    : sdbus::signature_of<
          std::vector<sdbus::Struct<sdbus::ObjectPath, std::map<std::string, sdbus::Variant>>>> {};
