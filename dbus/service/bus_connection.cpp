#include "dbus/service/bus_connection.h"

#include <cstdlib>

#include <linux/sockios.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "dbus/compat/sdbus_client.h"
#include "dbus/service/errors.h"
#include "engines/support/log.h"

namespace shorewatch::bus {

namespace {

// How much is done in one turn of the loop, so that other sources get theirs.
constexpr int batch = 64;

static_assert(EPOLLIN == POLLIN && EPOLLOUT == POLLOUT);

std::string environment(const char* variable, const std::string& otherwise) {
    const char* value = std::getenv(variable);
    return value != nullptr && *value != '\0' ? value : otherwise;
}

std::string describe(BusConnection::Kind kind) {
    if (kind == BusConnection::Kind::system) {
        return "the system bus (" +
               environment("DBUS_SYSTEM_BUS_ADDRESS", "unix:path=/run/dbus/system_bus_socket") + ")";
    }
    const std::string folder = environment("XDG_RUNTIME_DIR", "");
    const std::string fallback = folder.empty() ? "DBUS_SESSION_BUS_ADDRESS and XDG_RUNTIME_DIR are not set"
                                                : "unix:path=" + folder + "/bus";
    return "the session bus (" + environment("DBUS_SESSION_BUS_ADDRESS", fallback) + ")";
}

std::unique_ptr<sdbus::IConnection> open(BusConnection::Kind kind) {
    try {
        auto bus = kind == BusConnection::Kind::system ? sdbus::createSystemBusConnection()
                                                       : sdbus::createSessionBusConnection();
        bus->setMethodCallTimeout(
            std::chrono::duration_cast<std::chrono::microseconds>(BusConnection::call_limit));
        return bus;
    } catch (const sdbus::Error& error) {
        throw BusError("Can't connect to " + describe(kind) + ": " + error.getMessage());
    }
}

// Of org.freedesktop.DBus.RequestName.
constexpr std::uint32_t allow_replacement = 1;
constexpr std::uint32_t replace_existing = 2;
constexpr std::uint32_t do_not_queue = 4;
constexpr std::uint32_t name_exists = 3;

constexpr auto driver_name = "org.freedesktop.DBus";

std::unique_ptr<sdbus::IProxy> driver_of(sdbus::IConnection& bus) {
    return sdbus::createProxy(bus, ServiceName(driver_name), sdbus::ObjectPath("/org/freedesktop/DBus"));
}

template <typename Reply, typename... Arguments>
Reply call_driver(sdbus::IConnection& bus, const char* method, const Arguments&... arguments) {
    const auto driver = driver_of(bus);
    Reply reply{};
    driver->callMethod(method).onInterface(driver_name).withArguments(arguments...).storeResultsTo(reply);
    return reply;
}

// 0 when the bus does not say.
std::uint32_t owner_of(sdbus::IConnection& bus, const std::string& name) {
    try {
        return call_driver<std::uint32_t>(bus, "GetConnectionUnixProcessID", name);
    } catch (const sdbus::Error&) {
        return 0;
    }
}

std::string seconds(Clock::duration time) {
    return std::to_string(std::chrono::duration_cast<std::chrono::seconds>(time).count()) + " s";
}

// Has the other end not read yet what was sent? True when the kernel does not say.
bool is_unread(int descriptor) {
    int bytes = 0;
    return ::ioctl(descriptor, SIOCOUTQ, &bytes) < 0 || bytes > 0;
}

}  // namespace

BusConnection::BusConnection(EventLoop& loop, Kind kind, Handlers handlers)
    : handlers_(std::move(handlers)),
      bus_(open(kind)),
      driver_(driver_of(*bus_)),
      due_timer_(loop, [this] { process(0); }),
      stall_timer_(loop, [this] { check_progress(); }),
      unread_timer_(loop, [this] { check_unread(); }),
      lost_timer_(loop, [this] {
          // Copies: the handler may destroy this connection.
          const auto on_lost = handlers_.on_lost;
          const std::string why = *lost_;
          on_lost(why);
      }) {
    io_ = loop.on_io(bus_->getEventLoopPollData().fd, EPOLLIN,
                     [this](std::uint32_t revents) { process(revents); });
    before_wait_ = loop.before_wait([this] { before_wait(); });
}

BusConnection::~BusConnection() {
    io_.reset();
    // Closing waits until all that is queued has been sent, which a bus that stands still would make for
    // ever.
    try {
        const auto poll = bus_->getEventLoopPollData();
        if (lost_ || (poll.events & POLLOUT) != 0) ::shutdown(poll.fd, SHUT_RDWR);
    } catch (const sdbus::Error&) {
        // Closed already.
    }
}

void BusConnection::request_name(const std::string& name) {
    try {
        const auto request = [&](std::uint32_t flags) {
            return call_driver<std::uint32_t>(*bus_, "RequestName", name,
                                              flags | do_not_queue | allow_replacement);
        };
        name_lost_ = add_match(*bus_,
                               "type='signal',sender='org.freedesktop.DBus',path='/org/freedesktop/DBus',"
                               "interface='org.freedesktop.DBus',member='NameLost',arg0='" +
                                   name + "'",
                               [this] { handlers_.on_name_lost(); });
        if (request(0) != name_exists) return;
        const std::uint32_t owner = owner_of(*bus_, name);
        // Ours, of a connection that stood still: the bus will not see that it is closed before it reads from
        // it again.
        if (owner == static_cast<std::uint32_t>(::getpid()) && request(replace_existing) != name_exists)
            return;
        throw NameRefused("The bus name " + name + " is taken" +
                          (owner != 0 ? ", by process " + std::to_string(owner) : "") +
                          "; is the daemon running already?");
    } catch (const sdbus::Error& error) {
        if (error.getName() == errors::access_denied) {
            throw NameRefused("The bus's policy does not let us own the name " + name +
                              "; is the policy file installed, and does it name this user?");
        }
        throw BusError("The bus name " + name + " could not be had: " + error.getMessage());
    }
}

void BusConnection::process(std::uint32_t revents) {
    if (lost_) return;
    // The bus has room again, and is sent more at once: that is progress.
    if ((revents & EPOLLOUT) != 0) stall_timer_.arm_after(stall_limit);
    try {
        for (int i = 0; i < batch && !lost_; ++i) {
            if (!process_pending(*bus_)) break;
        }
    } catch (const std::exception& error) {
        lose(error.what());
    }
}

void BusConnection::before_wait() {
    if (lost_) return;
    handlers_.before_wait();
    if (lost_) return;
    try {
        const auto poll = bus_->getEventLoopPollData();
        const auto wanted = static_cast<std::uint32_t>(poll.events);
        if (wanted != events_) io_.set_io_events(wanted);
        events_ = wanted;
        watch_output((wanted & EPOLLOUT) != 0);
        watch_unread(poll.fd);
        if (const auto due = due_time(poll); due != due_) {
            due_ = due;
            due ? due_timer_.arm_at(Clock::time_point(*due)) : due_timer_.disarm();
        } else if (due && !due_timer_.armed()) {
            due_timer_.arm_at(Clock::time_point(*due));
        }
    } catch (const sdbus::Error& error) {
        lose(error.getMessage());
    }
}

void BusConnection::watch_output(bool wanted) {
    if (wanted && !stall_timer_.armed()) stall_timer_.arm_after(stall_limit);
    if (wanted || !stall_timer_.armed()) return;
    stall_timer_.disarm();
    handlers_.on_drained();
}

void BusConnection::check_progress() {
    if (lost_) return;
    try {
        // It may have been us who stood still.
        pollfd output{bus_->getEventLoopPollData().fd, POLLOUT, 0};
        if (::poll(&output, 1, 0) != 0) return stall_timer_.arm_after(stall_limit);
    } catch (const sdbus::Error& error) {
        return lose(error.getMessage());
    }
    lose("the bus has taken nothing for " + seconds(stall_limit) +
         ", probably because a subscriber does not read");
}

// As long as nothing is sent nobody wakes for this.
void BusConnection::watch_unread(int descriptor) {
    if (!unread_timer_.armed() && is_unread(descriptor)) unread_timer_.arm_after(unread_limit);
}

// Counted by turns of this timer, of which there is one however long it was us who stood still.
void BusConnection::check_unread() {
    if (lost_) return;
    try {
        if (!asked_) {
            if (is_unread(bus_->getEventLoopPollData().fd)) ask_bus();
        } else if (++silence_ >= longest_silence) {
            return lose("the bus has not answered for " + seconds(silence_limit) +
                        ", probably because a subscriber does not read");
        }
        if (asked_) unread_timer_.arm_after(unread_limit);
    } catch (const sdbus::Error& error) {
        lose(error.getMessage());
    }
}

void BusConnection::ask_bus() {
    // Any answer will do but the one that libsystemd makes itself when there is none in time; that comes too
    // late to matter.
    auto on_answer = [this](AsyncError, const std::string&) { asked_ = false; };
    asked_ = true;
    silence_ = 0;
    driver_->callMethodAsync("GetId")
        .onInterface(driver_name)
        .withTimeout(2 * silence_limit)
        .uponReplyInvoke(std::move(on_answer));
}

void BusConnection::lose(const std::string& why) noexcept {
    if (lost_) return;
    try {
        lost_ = why;
        io_.reset();
        due_timer_.disarm();
        stall_timer_.disarm();
        unread_timer_.disarm();
        // Reported later: whoever noticed may be in the midst of something that is of this connection.
        lost_timer_.arm_at(Clock::now());
    } catch (const std::exception& error) {
        log::error(error.what());
    }
}

void BusConnection::take_error(const char* doing, const std::exception& error) noexcept {
    const auto* of_bus = dynamic_cast<const sdbus::Error*>(&error);
    const bool ours = of_bus == nullptr || of_bus->getName() == errors::invalid_args;
    try {
        if (!ours) return lose(of_bus->getMessage());
        log::error(std::string("Can't ") + doing + ": " + error.what());
    } catch (const std::exception&) {
        log::error("Out of memory while sending to the bus");
    }
}

}  // namespace shorewatch::bus
