#include "dbus/ctl/top/link.h"

#include <chrono>
#include <cstdint>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "dbus/ctl/bus_call.h"
#include "engines/support/text.h"

namespace shorewatch::ctl {

namespace {

using What = TopAction::What;
using Kind = WatchEvent::Kind;

constexpr const char* manager_interface = "org.shorewatch1.Manager";
constexpr const char* container_interface = "org.shorewatch1.Container";
constexpr std::string_view engines_path = "/org/shorewatch1/engines/";

// What a container that is stopped has before it is killed, as of `shorewatchctl stop`, and what that takes
// beside it.
constexpr std::uint32_t patience = 10;
constexpr std::chrono::seconds stop_limit{patience + 60};

struct Words {
    const char* method;
    const char* doing;  // of "cannot {doing} 'web'"
    const char* under_way;
    const char* done;
};

Words words_of(What what) {
    switch (what) {
        case What::pause:
            return {"Pause", "pause", "pausing", "paused"};
        case What::unpause:
            return {"Unpause", "unpause", "unpausing", "unpaused"};
        default:
            return {"Stop", "stop", "stopping", "stopped"};
    }
}

bool is_engine(const std::string& path) {
    return path.starts_with(engines_path) && path.find('/', engines_path.size()) == std::string::npos;
}

}  // namespace

TopLink::TopLink(EventLoop& loop, const BusChoice& bus, std::unique_ptr<sdbus::IConnection> connection,
                 TopModel& model, Listener listener)
    : bus_(bus),
      connection_(std::move(connection)),
      model_(model),
      listener_(std::move(listener)),
      guard_(loop),
      feed_({}, true, [this](const WatchEvent& event) { take(event); }),
      bus_loop_(loop, *connection_),
      source_(loop, *connection_, bus.kind, {}, feed_) {
    subscribe_to_removals();
}

void TopLink::take(const WatchEvent& event) {
    model_.apply(event);
    if (event.kind == Kind::daemon_down) {
        lister_.reset();
        listing_ = false;
    }
    if (event.kind == Kind::synchronized || event.kind == Kind::engine_state) list_engines();
    listener_.changed();
}

// An engine that was away when it was removed has no other signal.
void TopLink::subscribe_to_removals() {
    const std::string rule = fmt::format(
        "type='signal',sender='{}',path='{}',interface='org.freedesktop.DBus.ObjectManager',"
        "member='InterfacesRemoved'",
        service_name, manager_path);
    removals_ = bus::add_match(*connection_, rule, [this](sdbus::Message& message) {
        guard_([&] {
            sdbus::ObjectPath path;
            if (bus::sender_of(message) != source_.owner()) return;
            message >> path;
            if (is_engine(path)) list_engines();
        });
    });
}

void TopLink::list_engines() {
    list_again_ = listing_;
    if (listing_ || source_.owner().empty()) return;
    if (!lister_)
        lister_ = sdbus::createProxy(*connection_, bus::ServiceName(source_.owner()),
                                     sdbus::ObjectPath(manager_path));
    auto listed = [this](const std::optional<sdbus::Error>& error, const std::vector<ListedObject>& objects) {
        guard_([&] {
            listing_ = false;
            if (std::exchange(list_again_, false)) return list_engines();
            // The next change asks again; a daemon that went says so itself.
            if (error) return;
            std::vector<EngineInfo> engines;
            engines.reserve(objects.size());
            for (const ListedObject& object : objects)
                engines.push_back(engine_info(object.get<0>(), object.get<1>()));
            model_.set_engines(engines);
            listener_.changed();
        });
    };
    bus::call_async<std::vector<ListedObject>>(*lister_, manager_interface, "ListEngines", {},
                                               std::move(listed));
    listing_ = true;
}

void TopLink::ask(const TopAction& action) {
    const Words words = words_of(action.what);
    const std::string name = printable(action.name);
    if (acting_) return listener_.answered("wait until what was asked for before is done", Tone::warning);
    if (source_.owner().empty())
        return listener_.answered(fmt::format("cannot {} '{}': the daemon is not there", words.doing, name),
                                  Tone::bad);
    auto answered = [this, words, name](const std::optional<sdbus::Error>& error) {
        guard_([&] {
            acting_ = false;
            if (!error) return listener_.answered(fmt::format("{} {}", words.done, name), Tone::good);
            const CommandError failure =
                command_error(fmt::format("{} '{}'", words.doing, name), error->getName(),
                              error->getMessage(), bus_.kind, Right::control);
            listener_.answered(failure.what(), Tone::bad);
        });
    };
    actor_ =
        sdbus::createProxy(*connection_, bus::ServiceName(source_.owner()), sdbus::ObjectPath(action.path));
    if (action.what == What::stop) {
        bus::call_async<>(*actor_, container_interface, words.method, call_options(bus_, stop_limit),
                          std::move(answered), patience);
    } else {
        bus::call_async<>(*actor_, container_interface, words.method, call_options(bus_),
                          std::move(answered));
    }
    acting_ = true;
    listener_.answered(fmt::format("{} {}", words.under_way, name), Tone::warning);
}

void TopLink::rethrow_failure() const {
    source_.rethrow_failure();
    guard_.rethrow();
}

}  // namespace shorewatch::ctl
