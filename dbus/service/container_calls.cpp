// What the methods of a container do: those that hand out what the kernel has of it, and those that its
// engine does.
#include <cerrno>
#include <exception>
#include <system_error>
#include <utility>

#include "daemon/processes/addresses.h"
#include "daemon/processes/namespaces.h"
#include "dbus/service/container_object.h"
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

std::vector<sdbus::Struct<std::string, std::string>> as_rows(const std::vector<InterfaceAddress>& addresses) {
    std::vector<sdbus::Struct<std::string, std::string>> rows;
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

}  // namespace

Request ContainerObject::request(Action action, const std::string& doing) const {
    const ContainerPtr of = container();
    return {.action = action,
            .doing = doing,
            .engine = engine_.name(),
            .container = of->name,
            .project = of->project};
}

template <typename Value, typename Make>
void ContainerObject::inspect(sdbus::Result<Value>&& result, const std::string& doing, Make make) {
    answer([&] {
        auto allowed = [run = container(), process = engine_.process(id_), make = std::move(make)] {
            return of_process(*run, [&] { return make(*run, held(process, *run)); });
        };
        context_.authority.require(getObject(), request(Action::inspect, doing), std::move(result),
                                   std::move(allowed));
    });
}

template <typename... Values, typename Make>
void ContainerObject::control(sdbus::Result<Values...>&& result, Action action, const std::string& doing,
                              const ControlRequest& request, Make make) {
    answer([&] {
        auto allowed = [&context = context_, engine = engine_.name(), run = container(), request,
                        make = std::move(make)](LateResult<Values...>&& permitted) {
            require_alive(context, engine, run);
            const auto call = context.calls.keep(std::move(permitted));
            context.actions.control(engine, request, [call, make](const Result<std::string>& reply) {
                call.answer([&] {
                    if (!reply) throw error_of(reply.error());
                    return make(reply.value());
                });
            });
        };
        context_.authority.require(getObject(), this->request(action, doing), std::move(result),
                                   std::move(allowed));
    });
}

void ContainerObject::Inspect(sdbus::Result<std::string>&& result) {
    control(std::move(result), Action::inspect, "read a container's configuration",
            {id_, ControlRequest::Inspect{}}, [](const std::string& json) { return json; });
}

void ContainerObject::OpenPIDFD(sdbus::Result<sdbus::UnixFd>&& result) {
    inspect(std::move(result), "open a container's process",
            [](const Container& container, const InitProcess& process) {
                UniqueFd pidfd = process.open();
                if (!pidfd && errno == ESRCH) throw over(container);
                if (!pidfd)
                    throw std::system_error(errno, std::generic_category(), "cannot open its process");
                return for_bus(std::move(pidfd));
            });
}

void ContainerObject::OpenNamespaces(sdbus::Result<std::map<std::string, sdbus::UnixFd>>&& result,
                                     std::vector<std::string> types) {
    inspect(std::move(result), "open a container's namespaces",
            [types = std::move(types)](const Container&, const InitProcess& process) {
                std::map<std::string, sdbus::UnixFd> opened;
                for (auto& [type, fd] : open_namespaces(process, types))
                    opened.emplace(type, for_bus(std::move(fd)));
                return opened;
            });
}

void ContainerObject::GetAddresses(sdbus::Result<Addresses>&& result) {
    answer([&] {
        auto allowed = [&context = context_, run = container(),
                        process = engine_.process(id_)](LateResult<Addresses>&& permitted) {
            auto network = of_process(*run, [&] { return open_namespaces(held(process, *run), {"net"}); });
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
        context_.authority.require(getObject(), request(Action::inspect, "read a container's addresses"),
                                   std::move(result), std::move(allowed));
    });
}

void ContainerObject::Pause(sdbus::Result<>&& result) {
    control(std::move(result), Action::control, "pause a container", {id_, ControlRequest::Pause{}},
            [](const std::string&) {});
}

void ContainerObject::Unpause(sdbus::Result<>&& result) {
    control(std::move(result), Action::control, "unpause a container", {id_, ControlRequest::Unpause{}},
            [](const std::string&) {});
}

void ContainerObject::Stop(sdbus::Result<>&& result, uint32_t timeout_seconds) {
    control(std::move(result), Action::control, "stop a container",
            {id_, ControlRequest::Stop{std::chrono::seconds(timeout_seconds)}}, [](const std::string&) {});
}

void ContainerObject::Kill(sdbus::Result<>&& result, int32_t signal) {
    control(std::move(result), Action::control, "send a signal to a container",
            {id_, ControlRequest::Kill{signal}}, [](const std::string&) {});
}

}  // namespace shorewatch::bus
