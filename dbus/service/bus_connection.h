// Our connection to the bus, driven by an EventLoop. Used on the loop's thread only.
//
// sdbus-c++ reports a lost bus by throwing, from wherever it is noticed; here it ends in one call of on_lost.
// A bus that takes nothing from us any more counts as lost: dbus-daemon stops reading from a sender as long
// as too much of what it sent waits for a subscriber that does not read, and takes a new connection gladly.
// That shows in two ways: what waits here to be sent is not taken; and, as megabytes fit into the socket
// before anything has to wait here, what is in the socket stays there, and a small question is not answered.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>

#include "dbus/compat/sdbus.h"
#include "engines/support/event_loop.h"

namespace shorewatch::bus {

// No connection to the bus, or not the name that we need. what() is a sentence for a person.
class BusError : public std::runtime_error {
  public:
    using std::runtime_error::runtime_error;
};

// The bus is there and refuses us the name: it is taken, or the bus's policy does not let us have it.
class NameRefused : public BusError {
  public:
    using BusError::BusError;
};

class BusConnection {
  public:
    enum class Kind { system, session };

    struct Handlers {
        // Called before the loop waits: the last occasion to send what was collected.
        std::function<void()> before_wait;
        // All is sent that had to wait here for the bus to take it. Called from the loop.
        std::function<void()> on_drained;
        // The connection is of no use any more, and why. Called once, from the loop; may destroy the
        // connection.
        std::function<void(const std::string& why)> on_lost;
        // Somebody else has taken the name over. Called from the loop; must not destroy the connection.
        std::function<void()> on_name_lost;
    };

    // How long the bus may take nothing of what waits to be sent.
    static constexpr Clock::duration stall_limit = std::chrono::seconds(5);
    // How long what is in the socket is left unread before the bus is asked whether it reads at all, how many
    // such times may pass without its answer, and what that makes together.
    static constexpr Clock::duration unread_limit = std::chrono::seconds(5);
    static constexpr unsigned longest_silence = 3;
    static constexpr Clock::duration silence_limit = unread_limit * (1 + longest_silence);
    // How long a call to the bus itself may take; it holds up the loop.
    static constexpr Clock::duration call_limit = std::chrono::seconds(5);

    // Connects to the bus that the environment names. Throws BusError.
    BusConnection(EventLoop& loop, Kind kind, Handlers handlers);
    // Does not block: what a bus does not take at once is lost with the connection.
    ~BusConnection();
    BusConnection(const BusConnection&) = delete;
    BusConnection& operator=(const BusConnection&) = delete;

    [[nodiscard]] sdbus::IConnection& get() noexcept { return *bus_; }

    // Becomes the one owner of a name. Throws NameRefused; BusError when the bus did not answer.
    //
    // The name can be taken over, by whom the bus's policy lets own it, and so by us: a connection that stood
    // still keeps its name until the bus reads from it again, however long it has been closed by then.
    void request_name(const std::string& name);

    // Sends something. An error is not thrown: when it says that the bus is gone, or that no more can be
    // queued, the connection counts as lost; otherwise it is logged as what went wrong while doing.
    template <typename Send>
    void attempt(const char* doing, const Send& send) noexcept {
        if (lost_) return;
        try {
            send();
        } catch (const std::exception& error) {
            take_error(doing, error);
        }
    }

  private:
    void process(std::uint32_t revents);
    void before_wait();
    void watch_output(bool wanted);
    void check_progress();
    void watch_unread(int descriptor);
    void check_unread();
    void ask_bus();
    void lose(const std::string& why) noexcept;
    void take_error(const char* doing, const std::exception& error) noexcept;

    Handlers handlers_;
    std::unique_ptr<sdbus::IConnection> bus_;
    std::uint32_t events_ = 0;
    std::optional<std::chrono::microseconds> due_;
    std::optional<std::string> lost_;
    sdbus::Slot name_lost_;
    std::unique_ptr<sdbus::IProxy> driver_;
    bool asked_ = false;  // and not been answered
    unsigned silence_ = 0;
    Timer due_timer_;
    Timer stall_timer_;
    Timer unread_timer_;
    Timer lost_timer_;
    EventSource io_;
    EventSource before_wait_;
};

}  // namespace shorewatch::bus
