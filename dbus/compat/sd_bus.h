// What libsystemd's sd-bus can do and sdbus-c++ has no word for, done beside it on its own connection. On the
// thread that uses the connection only: sdbus-c++'s lock is not taken.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "dbus/compat/sdbus.h"

namespace shorewatch::bus {

struct SlotUnref {
    void operator()(sd_bus_slot* slot) const noexcept { sd_bus_slot_unref(slot); }
};
// What is registered with a bus. Keeps the bus, so it has to go before the connection does.
using SdSlot = std::unique_ptr<sd_bus_slot, SlotUnref>;

struct MessageUnref {
    void operator()(sd_bus_message* message) const noexcept { sd_bus_message_unref(message); }
};
using SdMessage = std::unique_ptr<sd_bus_message, MessageUnref>;

// code: of libsystemd, negative for a failure. Throws sdbus::Error.
inline void require_done(int code, const char* what) {
    if (code < 0) throw sdbus::createError(-code, what);
}

// A message that is never sent: what sdbus-c++ 1.2 lets others make, to be written into or asked for its bus.
[[nodiscard]] inline sdbus::Signal unsent_message(sdbus::IObject& object) {
    return object.createSignal(InterfaceName("org.shorewatch1.Answer"), MemberName("Answer"));
}

// The bus that the object is on; good as long as the connection.
[[nodiscard]] inline sd_bus* raw_bus(sdbus::IObject& object) {
    const sdbus::Signal message = unsent_message(object);
    return sd_bus_message_get_bus(raw_message(message));
}

// Values into a message. All throw sdbus::Error.
inline void open_container(sd_bus_message* to, char type, const char* contents) {
    require_done(sd_bus_message_open_container(to, type, contents), "cannot write into a message");
}

inline void close_container(sd_bus_message* to) {
    require_done(sd_bus_message_close_container(to), "cannot write into a message");
}

inline void append_basic(sd_bus_message* to, char type, const void* value) {
    require_done(sd_bus_message_append_basic(to, type, value), "cannot write into a message");
}

inline void append(sd_bus_message* to, const char* text) {
    append_basic(to, SD_BUS_TYPE_STRING, text);
}

inline void append(sd_bus_message* to, const std::string& text) {
    append(to, text.c_str());
}

inline void append(sd_bus_message* to, const sdbus::ObjectPath& path) {
    append_basic(to, SD_BUS_TYPE_OBJECT_PATH, path.c_str());
}

inline void append(sd_bus_message* to, bool value) {
    const int wide = value ? 1 : 0;
    append_basic(to, SD_BUS_TYPE_BOOLEAN, &wide);
}

inline void append(sd_bus_message* to, std::uint32_t number) {
    append_basic(to, SD_BUS_TYPE_UINT32, &number);
}

inline void append(sd_bus_message* to, std::uint64_t number) {
    append_basic(to, SD_BUS_TYPE_UINT64, &number);
}

}  // namespace shorewatch::bus
