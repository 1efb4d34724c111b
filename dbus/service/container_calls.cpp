// Those methods that hand out what the kernel has of a container, and those that its engine does.
#include "dbus/service/container_calls.h"

#include <cerrno>
#include <chrono>
#include <cstdint>
#include <exception>
#include <map>
#include <system_error>
#include <utility>
#include <vector>

#include "daemon/processes/addresses.h"
#include "daemon/processes/namespaces.h"
#include "dbus/compat/sd_bus.h"
#include "dbus/service/engine_errors.h"
#include "dbus/service/errors.h"
#include "engines/support/text.h"

namespace shorewatch::bus {

namespace {

sdbus::UnixFd for_bus(UniqueFd fd) {
    return sdbus::UnixFd(fd.release(), sdbus::adopt_fd);
}

std::string name_of(const Container& container) {
    return "Container '" + printable(container.name) + "'";
}

sdbus::Error over(const Container& container) {
    return error(errors::not_alive, name_of(container) + " has ended");
}

// The run may be over by the time the caller was allowed something, and another one of the container have
// begun.
void require_alive(const ServiceContext& context, const std::string& engine, const ContainerPtr& run) {
    const PublishedEngine* const published = context.registry.engine(engine);
    const ContainerPtr now = published != nullptr ? published->portfolio().find(run->id) : nullptr;
    if (!now || now->pid != run->pid || now->started != run->started) throw over(*run);
}

// What fails when the kernel is asked for something of a process.
template <typename Function>
auto of_process(const Container& container, const Function& function) -> decltype(function()) {
    try {
        return function();
    } catch (const ProcessEnded&) {
        throw over(container);
    } catch (const std::invalid_argument& wrong) {
        throw error(errors::invalid_args, wrong.what());
    } catch (const std::system_error& failure) {
        const bool forbidden = failure.code() == std::errc::operation_not_permitted ||
                               failure.code() == std::errc::permission_denied;
        throw error(errors::failed,
                    name_of(container) + ": " + failure.what() +
                        (forbidden ? "; has the daemon the capabilities that its unit names?" : ""));
    }
}

using Addresses = std::vector<sdbus::Struct<std::string, std::string>>;

Addresses as_rows(const std::vector<InterfaceAddress>& addresses) {
    Addresses rows;
    rows.reserve(addresses.size());
    for (const auto& [interface, address] : addresses)
        rows.emplace_back(valid_utf8(interface), address);
    return rows;
}

const InitProcess& held(const InitProcessPtr& process, const Container& container) {
    if (process) return *process;
    throw error(
        errors::not_supported,
        name_of(container) + "'s processes are not to be had: its engine is on another host, or process " +
            std::to_string(container.pid) + ", which it names, could not be shown to be the container's");
}

// The one argument of a call, whose signature libsystemd has checked.
template <typename Number>
Number number_of(const HandledCall& call, char type) {
    Number number = 0;
    require_done(sd_bus_message_read_basic(call.message, type, &number), "cannot read a call");
    return number;
}

std::vector<std::string> texts_of(const HandledCall& call) {
    std::vector<std::string> texts;
    require_done(sd_bus_message_enter_container(call.message, SD_BUS_TYPE_ARRAY, "s"), "cannot read a call");
    const char* text = nullptr;
    int more = 0;
    while ((more = sd_bus_message_read(call.message, "s", &text)) > 0)
        texts.emplace_back(text);
    require_done(more, "cannot read a call");
    return texts;
}

}  // namespace

Request ContainerCall::request(Action action, const std::string& doing) const {
    return {.action = action,
            .doing = doing,
            .engine = container_.engine->name(),
            .container = container_.container->name,
            .project = container_.container->project};
}

template <typename Value, typename Make>
void ContainerCall::look(const std::string& doing, Make make) const {
    auto allowed = [run = container_.container, process = container_.process, make = std::move(make)] {
        return of_process(*run, [&] { return make(*run, held(process, *run)); });
    };
    context_.authority.require(call_, request(Action::inspect, doing), LateResult<Value>(call_),
                               std::move(allowed));
}

template <typename... Values, typename Make>
void ContainerCall::control(Action action, const std::string& doing, const ControlRequest& asked,
                            Make make) const {
    auto allowed = [&context = context_, engine = container_.engine->name(), run = container_.container,
                    asked, make = std::move(make)](LateResult<Values...>&& permitted) {
        require_alive(context, engine, run);
        const auto call = context.calls.keep(std::move(permitted));
        context.actions.control(engine, asked, [call, make](const Result<std::string>& reply) {
            call.answer([&] {
                if (!reply) throw error_of(reply.error());
                return make(reply.value());
            });
        });
    };
    context_.authority.require(call_, request(action, doing), LateResult<Values...>(call_),
                               std::move(allowed));
}

void ContainerCall::inspect() const {
    control<std::string>(Action::inspect, "read a container's configuration",
                         {id(), ControlRequest::Inspect{}}, [](const std::string& json) { return json; });
}

void ContainerCall::open_pidfd() const {
    look<sdbus::UnixFd>(
        "open a container's process", [](const Container& container, const InitProcess& process) {
            UniqueFd pidfd = process.open();
            if (!pidfd && errno == ESRCH) throw over(container);
            if (!pidfd) throw std::system_error(errno, std::generic_category(), "cannot open its process");
            return for_bus(std::move(pidfd));
        });
}

void ContainerCall::open_namespaces() const {
    using Opened = std::map<std::string, sdbus::UnixFd>;
    look<Opened>("open a container's namespaces",
                 [types = texts_of(call_)](const Container&, const InitProcess& process) {
                     Opened opened;
                     for (auto& [type, fd] : shorewatch::open_namespaces(process, types))
                         opened.emplace(type, for_bus(std::move(fd)));
                     return opened;
                 });
}

void ContainerCall::get_addresses() const {
    auto allowed = [&context = context_, run = container_.container,
                    process = container_.process](LateResult<Addresses>&& permitted) {
        auto network =
            of_process(*run, [&] { return shorewatch::open_namespaces(held(process, *run), {"net"}); });
        const auto call = context.calls.keep(std::move(permitted));
        const auto reply = [call, run](const std::vector<InterfaceAddress>& found,
                                       const std::exception_ptr& failure) {
            call.answer([&] {
                of_process(*run, [&] {
                    if (failure) std::rethrow_exception(failure);
                });
                return as_rows(found);
            });
        };
        if (context.addresses.read(std::move(network.at("net")), reply)) return;
        call.answer([]() -> Addresses {
            throw error(errors::limits_exceeded,
                        "Addresses of too many containers are being read; try again");
        });
    };
    context_.authority.require(call_, request(Action::inspect, "read a container's addresses"),
                               LateResult<Addresses>(call_), std::move(allowed));
}

void ContainerCall::pause() const {
    control<>(Action::control, "pause a container", {id(), ControlRequest::Pause{}},
              [](const std::string&) {});
}

void ContainerCall::unpause() const {
    control<>(Action::control, "unpause a container", {id(), ControlRequest::Unpause{}},
              [](const std::string&) {});
}

void ContainerCall::stop() const {
    const std::chrono::seconds timeout(number_of<std::uint32_t>(call_, SD_BUS_TYPE_UINT32));
    control<>(Action::control, "stop a container", {id(), ControlRequest::Stop{timeout}},
              [](const std::string&) {});
}

void ContainerCall::kill() const {
    const auto signal = number_of<std::int32_t>(call_, SD_BUS_TYPE_INT32);
    control<>(Action::control, "send a signal to a container", {id(), ControlRequest::Kill{signal}},
              [](const std::string&) {});
}

}  // namespace shorewatch::bus
