#include "dbus/service/container_folder.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <new>
#include <optional>
#include <string_view>
#include <tuple>
#include <utility>

#include <systemd/sd-bus-vtable.h>

#include "dbus/service/container_calls.h"
#include "dbus/service/errors.h"
#include "dbus/service/object_paths.h"

namespace shorewatch::bus {

namespace {

constexpr const char* interface_name = "org.shorewatch1.Container";

template <void (ContainerCall::*method)() const>
int handle(sd_bus_message* message, void* data, sd_bus_error* failure) noexcept {
    return guarded(failure, [&] {
        const auto& folder = *static_cast<const ContainerFolder*>(data);
        (ContainerCall(folder.context(), folder.found(), folder.handled(message)).*method)();
        return 1;  // it is answered later
    });
}

template <std::size_t index>
int read(sd_bus*, const char*, const char*, const char*, sd_bus_message* reply, void* data,
         sd_bus_error* failure) noexcept {
    return guarded(failure, [&] {
        container_properties[index].write(reply, static_cast<const ContainerFolder*>(data)->found());
        return 1;
    });
}

template <std::size_t index>
sd_bus_vtable property() {
    const ContainerProperty& of = container_properties[index];
    return SD_BUS_PROPERTY(of.name, of.signature, read<index>, 0, of.flags);
}

constexpr std::size_t methods = 8;
using Table = std::array<sd_bus_vtable, 1 + methods + std::tuple_size_v<decltype(container_properties)> + 1>;

// As the XML has it. Who may is decided when a method is called.
template <std::size_t... indexes>
Table make_table(std::index_sequence<indexes...>) {
    constexpr std::uint64_t flags = SD_BUS_VTABLE_UNPRIVILEGED;
    return {
        {SD_BUS_VTABLE_START(0),
         SD_BUS_METHOD_WITH_NAMES("Inspect", "", "", "s", SD_BUS_PARAM(json), handle<&ContainerCall::inspect>,
                                  flags),
         SD_BUS_METHOD_WITH_NAMES("OpenPIDFD", "", "", "h", SD_BUS_PARAM(pidfd),
                                  handle<&ContainerCall::open_pidfd>, flags),
         SD_BUS_METHOD_WITH_NAMES("OpenNamespaces", "as", SD_BUS_PARAM(types), "a{sh}",
                                  SD_BUS_PARAM(namespaces), handle<&ContainerCall::open_namespaces>, flags),
         SD_BUS_METHOD_WITH_NAMES("GetAddresses", "", "", "a(ss)", SD_BUS_PARAM(addresses),
                                  handle<&ContainerCall::get_addresses>, flags),
         SD_BUS_METHOD("Pause", "", "", handle<&ContainerCall::pause>, flags),
         SD_BUS_METHOD("Unpause", "", "", handle<&ContainerCall::unpause>, flags),
         SD_BUS_METHOD_WITH_NAMES("Stop", "u", SD_BUS_PARAM(timeout_seconds), "", "",
                                  handle<&ContainerCall::stop>, flags),
         SD_BUS_METHOD_WITH_NAMES("Kill", "i", SD_BUS_PARAM(signal), "", "", handle<&ContainerCall::kill>,
                                  flags),
         property<indexes>()..., SD_BUS_VTABLE_END}};
}

// For good: libsystemd keeps pointers into it.
const Table& table() {
    static const Table made =
        make_table(std::make_index_sequence<std::tuple_size_v<decltype(container_properties)>>());
    return made;
}

// As libsystemd takes it over: strings and list of malloc(), with a null pointer behind the last.
struct FreePaths {
    void operator()(char** paths) const noexcept {
        for (char** path = paths; *path != nullptr; ++path)
            std::free(*path);
        std::free(static_cast<void*>(paths));
    }
};
using Paths = std::unique_ptr<char*, FreePaths>;

Paths empty_paths(std::size_t most) {
    Paths paths(static_cast<char**>(std::calloc(most + 1, sizeof(char*))));
    if (!paths) throw std::bad_alloc();
    return paths;
}

}  // namespace

ContainerFolder::ContainerFolder(sdbus::IConnection& connection, const ServiceContext& context,
                                 const PublishedEngine& engine)
    : context_(context),
      engine_(engine),
      path_(containers_path(engine.name())),
      maker_(sdbus::createObject(connection, sdbus::ObjectPath(path_))) {
    sd_bus* const bus = raw_bus(*maker_);
    sd_bus_slot* slot = nullptr;
    require_done(sd_bus_add_fallback_vtable(bus, &slot, path_.c_str(), interface_name, table().data(),
                                            &ContainerFolder::find, this),
                 "cannot publish containers");
    objects_.reset(slot);
    require_done(sd_bus_add_node_enumerator(bus, &slot, path_.c_str(), &ContainerFolder::list, this),
                 "cannot list containers");
    nodes_.reset(slot);
}

void ContainerFolder::announce_added(const std::string& id) {
    require_done(sd_bus_emit_object_added(raw_bus(*maker_), path_of(id).c_str()),
                 "cannot tell of a new object");
}

void ContainerFolder::announce_changed(const std::string& id, const char* property) {
    require_done(sd_bus_emit_properties_changed(raw_bus(*maker_), path_of(id).c_str(), interface_name,
                                                property, nullptr),
                 "cannot tell of a property");
}

void ContainerFolder::announce_removed(const ContainerPtr& container) {
    const std::string path = path_of(container->id);
    sd_bus* const bus = raw_bus(*maker_);
    leaving_ = container;
    const int sent = sd_bus_emit_object_removed(bus, path.c_str());
    leaving_.reset();
    found_ = {};
    require_done(sent, "cannot tell that an object goes");
}

std::string ContainerFolder::path_of(const std::string& id) const {
    return container_path(engine_.name(), id);
}

bool ContainerFolder::look_up(const char* path) {
    found_ = {};
    const std::optional<std::string> id = child_name(path_, path);
    if (!id) return false;
    ContainerPtr container = leaving_ && leaving_->id == *id ? leaving_ : engine_.portfolio().find(*id);
    if (!container) return false;
    found_ = {.engine = &engine_, .container = std::move(container), .process = engine_.process(*id)};
    return true;
}

int ContainerFolder::find(sd_bus*, const char* path, const char*, void* data, void** found,
                          sd_bus_error* failure) noexcept {
    return guarded(failure, [&] {
        if (!static_cast<ContainerFolder*>(data)->look_up(path)) return 0;
        *found = data;
        return 1;
    });
}

int ContainerFolder::list(sd_bus*, const char* prefix, void* data, char*** paths,
                          sd_bus_error* failure) noexcept {
    return guarded(failure, [&] {
        const auto& self = *static_cast<const ContainerFolder*>(data);
        // Asked for what is below one container, too.
        if (!std::string_view(self.path_).starts_with(prefix)) return 0;
        const Portfolio& portfolio = self.engine_.portfolio();
        Paths made = empty_paths(portfolio.container_total());
        char** next = made.get();
        portfolio.for_each([&](const ContainerPtr& container) {
            require_done(sd_bus_path_encode(self.path_.c_str(), container->id.c_str(), next++),
                         "cannot make an object path");
        });
        *paths = made.release();
        return 0;
    });
}

}  // namespace shorewatch::bus
