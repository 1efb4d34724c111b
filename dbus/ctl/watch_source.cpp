#include "dbus/ctl/watch_source.h"

#include <functional>
#include <utility>

#include <fmt/format.h>

#include "dbus/ctl/daemon_owner.h"
#include "dbus/ctl/time_format.h"
#include "dbus/interfaces/manager_proxy.h"

namespace shorewatch::ctl {

// The Manager's signals, as events.
class WatchSource::Signals final : public sdbus::ProxyInterfaces<org::shorewatch1::Manager_proxy> {
  public:
    using Handler = std::function<void(WatchEvent event, const std::string& sender)>;

    Signals(sdbus::IConnection& connection, Handler handler)
        : ProxyInterfaces(connection, bus::ServiceName(service_name), sdbus::ObjectPath(manager_path)),
          handler_(std::move(handler)) {
        registerProxy();
    }
    ~Signals() { unregisterProxy(); }
    Signals(const Signals&) = delete;
    Signals& operator=(const Signals&) = delete;

  private:
    using Text = const std::string&;
    using Path = const sdbus::ObjectPath&;
    using Number = const std::uint64_t&;
    using Details = const Properties&;
    using Kind = WatchEvent::Kind;

    void onContainerStarted(Text engine, Text project, Text name, Text id, Path path, Number sequence,
                            Details details) override {
        pass(Kind::started, engine, project, name, id, path, sequence, details);
    }
    void onContainerExited(Text engine, Text project, Text name, Text id, Path path, Number sequence,
                           Details details) override {
        pass(Kind::exited, engine, project, name, id, path, sequence, details);
    }
    void onContainerPaused(Text engine, Text project, Text name, Text id, Path path, Number sequence,
                           Details details) override {
        pass(Kind::paused, engine, project, name, id, path, sequence, details);
    }
    void onContainerUnpaused(Text engine, Text project, Text name, Text id, Path path, Number sequence,
                             Details details) override {
        pass(Kind::unpaused, engine, project, name, id, path, sequence, details);
    }
    void onContainerRenamed(Text engine, Text project, Text name, Text id, Path path, Number sequence,
                            Details details) override {
        pass(Kind::renamed, engine, project, name, id, path, sequence, details);
    }
    void onEngineStateChanged(Text engine, Text state, Path path, Number sequence, Details details) override {
        WatchEvent event = event_of(Kind::engine_state, engine, path, sequence, details);
        event.state = state;
        handler_(std::move(event), bus::current_sender(getProxy()));
    }

    void pass(Kind kind, Text engine, Text project, Text name, Text id, Path path, Number sequence,
              Details details) {
        WatchEvent event = event_of(kind, engine, path, sequence, details);
        event.project = project;
        event.name = name;
        event.id = id;
        handler_(std::move(event), bus::current_sender(getProxy()));
    }

    static WatchEvent event_of(Kind kind, Text engine, Path path, Number sequence, Details details) {
        WatchEvent event;
        event.kind = kind;
        event.received = now_usec();
        event.engine = engine;
        event.path = path;
        event.sequence = sequence;
        event.details = details;
        return event;
    }

    Handler handler_;
};

WatchSource::WatchSource(EventLoop& loop, sdbus::IConnection& connection, BusKind bus,
                         ContainerFilter list_filter, WatchFeed& feed)
    : loop_(loop), connection_(connection), bus_(bus), list_filter_(std::move(list_filter)), feed_(feed) {
    try {
        driver_ = bus_driver(connection);
        owner_match_ =
            match_owner(connection, [this](const std::string& owner) { guarded([&] { set_owner(owner); }); });
        signals_ = std::make_unique<Signals>(connection, [this](WatchEvent event, const std::string& sender) {
            guarded([&] {
                if (!owner_.empty() && sender == owner_) feed_.signal(std::move(event));
            });
        });
        ask_owner(std::nullopt);
    } catch (const sdbus::Error& error) {
        throw command_error("watch the containers", error.getName(), error.getMessage(), bus);
    }
}

WatchSource::~WatchSource() = default;

void WatchSource::rethrow_failure() const {
    if (failure_) std::rethrow_exception(failure_);
}

template <typename Call>
void WatchSource::guarded(const Call& call) noexcept {
    if (failure_) return;
    try {
        call();
    } catch (const sdbus::Error& error) {
        fail(std::make_exception_ptr(
            command_error("watch the containers", error.getName(), error.getMessage(), bus_)));
    } catch (...) {
        fail(std::current_exception());
    }
}

void WatchSource::fail(std::exception_ptr failure) noexcept {
    failure_ = std::move(failure);
    loop_.stop();
}

// after: an error from the owner known so far, which counts if it is the owner still.
void WatchSource::ask_owner(std::optional<CommandError> after) {
    auto on_answer = [this, after](bus::AsyncError error, const std::string& answer) {
        guarded([&] {
            if (error && error->getName() != "org.freedesktop.DBus.Error.NameHasNoOwner")
                throw sdbus::Error(*error);
            if (after && answer == owner_) throw CommandError(*after);
            set_owner(answer);
            if (answer.empty() && !after) start_daemon();
        });
    };
    driver_->callMethodAsync("GetNameOwner")
        .onInterface(bus_driver_name)
        .withArguments(std::string(service_name))
        .uponReplyInvoke(std::move(on_answer));
}

void WatchSource::set_owner(const std::string& owner) {
    if (owner == owner_) return;
    lister_.reset();
    if (!owner_.empty()) feed_.daemon_down(now_usec());
    owner_ = owner;
    if (owner_.empty()) return;
    feed_.daemon_up(now_usec());
    request_list();
}

// Once, at the beginning: somebody who stops the daemon later does not want it started again from here.
void WatchSource::start_daemon() {
    auto on_answer = [this](bus::AsyncError error, const std::uint32_t&) {
        guarded([&] {
            if (!error || !owner_.empty()) return;
            const CommandError reason =
                command_error("watch yet", error->getName(), error->getMessage(), bus_);
            feed_.daemon_awaited(reason.what(), now_usec());
        });
    };
    driver_->callMethodAsync("StartServiceByName")
        .onInterface(bus_driver_name)
        .withArguments(std::string(service_name), std::uint32_t{0})
        .uponReplyInvoke(std::move(on_answer));
}

void WatchSource::request_list() {
    auto on_answer = [this](bus::AsyncError error, const std::uint64_t& sequence,
                            const std::vector<ListedObject>& objects) {
        guarded([&] {
            if (error) {
                return ask_owner(
                    command_error("list the containers", error->getName(), error->getMessage(), bus_));
            }
            ContainerList list = container_list(sequence, objects);
            feed_.listed(list.sequence, std::move(list.containers), now_usec());
        });
    };
    // By its unique name, so that the bus does not start another one if this one goes.
    lister_ = sdbus::createProxy(connection_, bus::ServiceName(owner_), sdbus::ObjectPath(manager_path));
    lister_->callMethodAsync("ListContainers")
        .onInterface(Signals::INTERFACE_NAME)
        .withArguments(list_filter_.to_properties())
        .uponReplyInvoke(std::move(on_answer));
}

void WatchSource::ask_engines(std::function<void(const std::vector<EngineInfo>&)> take) {
    auto on_answer = [this, take = std::move(take)](bus::AsyncError error,
                                                    const std::vector<ListedObject>& objects) {
        guarded([&] {
            if (error) {
                return ask_owner(
                    command_error("list the engines", error->getName(), error->getMessage(), bus_));
            }
            std::vector<EngineInfo> engines;
            engines.reserve(objects.size());
            for (const ListedObject& object : objects)
                engines.push_back(engine_info(object.get<0>(), object.get<1>()));
            take(engines);
        });
    };
    if (!lister_) return;
    lister_->callMethodAsync("ListEngines")
        .onInterface(Signals::INTERFACE_NAME)
        .uponReplyInvoke(std::move(on_answer));
}

}  // namespace shorewatch::ctl
