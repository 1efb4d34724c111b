#include "dbus/ctl/top/top.h"

#include <algorithm>
#include <chrono>
#include <csignal>
#include <map>
#include <string_view>
#include <utility>

#include <langinfo.h>
#include <poll.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "dbus/ctl/bus_call.h"
#include "dbus/ctl/time_format.h"

namespace shorewatch::ctl {

namespace {

using namespace std::chrono_literals;

// How often processor time is read, and uptimes are brought up to date with it.
constexpr auto measuring = 2s;
// The first reading has nothing to compare with.
constexpr auto first_measuring = 500ms;
// A flood of changes is not drawn one by one, and drawing has a fifth of the time at most: with thousands of
// containers it takes its own.
constexpr Clock::duration least_between_draws = 40ms;
constexpr int draw_share = 5;
constexpr auto between_connections = 1s;

std::string bus_name(const BusChoice& bus) {
    switch (bus.kind) {
        case BusKind::system:
            return "system bus";
        case BusKind::user:
            return "session bus";
        case BusKind::remote:
            return bus.host;
    }
    return {};
}

bool can_write() {
    pollfd state{.fd = STDOUT_FILENO, .events = POLLOUT, .revents = 0};
    return ::poll(&state, 1, 0) == 1 && (state.revents & POLLOUT) != 0;
}

bool is_interrupted() {
    sigset_t pending;
    return sigpending(&pending) == 0 && sigismember(&pending, SIGINT) == 1;
}

}  // namespace

Top::Top(const BusChoice& bus, bool colour)
    : bus_(bus),
      unicode_(std::string_view(nl_langinfo(CODESET)) == "UTF-8"),
      first_connection_(open_bus(bus)),
      screen_(colour),
      draw_(loop_, [this] { draw(); }),
      measure_(loop_, [this] { measure(); }),
      reconnect_(loop_, [this] { reconnect(); }),
      writable_(loop_.on_io(STDOUT_FILENO, 0, [this](std::uint32_t) {
          writable_.set_io_events(0);
          request_draw();
      })) {
    const auto end = [this] {
        ended_ = true;
        loop_.stop();
    };
    for (const int number : {SIGINT, SIGTERM, SIGHUP})
        sources_.push_back(loop_.on_signal(number, end));
    sources_.push_back(loop_.on_signal(SIGTSTP, [this] { take_turn_in_background(); }));
    sources_.push_back(loop_.on_signal(SIGWINCH, [this] {
        screen_.fit();
        request_draw();
    }));
    sources_.push_back(loop_.on_io(STDIN_FILENO, EPOLLIN, [this, end](std::uint32_t events) {
        read_keys();
        // A terminal that has gone can be read for ever.
        if ((events & (EPOLLHUP | EPOLLERR)) != 0) end();
    }));
}

void Top::run() {
    connect(std::move(first_connection_));
    request_draw();
    measure_.arm_after(first_measuring);
    while (!ended_) {
        try {
            loop_.run();
            if (link_) link_->rethrow_failure();
        } catch (const sdbus::Error& error) {
            lose_bus(command_error("watch the containers", error.getName(), error.getMessage(), bus_.kind));
        } catch (const CommandError& error) {
            if (error.code() != ExitCode::unreachable) throw;
            lose_bus(error);
        }
    }
}

TopLink::Listener Top::listener() {
    return {[this] { request_draw(); }, [this](std::string text, Tone tone) { say(std::move(text), tone); }};
}

void Top::connect(std::unique_ptr<sdbus::IConnection> connection) {
    link_ = asked("watch the containers", bus_, [&] {
        return std::make_unique<TopLink>(loop_, bus_, std::move(connection), model_, listener());
    });
}

// Another host is not tried again, as ssh may ask for a password on this terminal.
void Top::lose_bus(const CommandError& why) {
    if (bus_.kind == BusKind::remote) {
        // Ctrl-C ends ssh too, maybe before the signal has its turn in the loop.
        ended_ = ended_ || is_interrupted();
        if (ended_) return;
        throw CommandError(why);
    }
    link_.reset();
    model_.bus_lost(why.what());
    reconnect_.arm_after(between_connections);
    request_draw();
}

void Top::reconnect() {
    try {
        connect(open_bus(bus_));
    } catch (const CommandError& error) {
        lose_bus(error);
    }
    request_draw();
}

void Top::read_keys() {
    for (const TopKey& key : screen_.read_keys()) {
        TopReaction reaction = react(std::move(state_), key, model_, layout().tree);
        state_ = std::move(reaction.state);
        if (reaction.action) act(*reaction.action);
    }
    request_draw();
}

void Top::act(const TopAction& action) {
    if (action.what == TopAction::What::quit) {
        ended_ = true;
        return loop_.stop();
    }
    if (!link_) return say("the bus is gone: nothing can be asked of the daemon", Tone::bad);
    link_->ask(action);
}

// Only of what is on the screen: there may be thousands.
void Top::measure() {
    measure_.arm_after(measuring);
    if (bus_.kind != BusKind::remote) {
        std::map<std::string, Measured> shown;
        const auto rows = top_rows(model_, state_.filter);
        const std::size_t end = std::min(rows.size(), state_.first + layout().tree);
        for (std::size_t i = state_.first; i < end; ++i) {
            const TopContainer* const container = rows[i].container;
            if (container != nullptr && container->pid != 0)
                shown[container->path] = {container->pid, container->id, container->cgroup};
        }
        const auto now =
            std::chrono::duration_cast<std::chrono::microseconds>(Clock::now().time_since_epoch());
        samples_.take(groups_, shown, static_cast<std::uint64_t>(now.count()));
    }
    request_draw();
}

// Ctrl-Z: the shell has the terminal until it continues us.
void Top::take_turn_in_background() {
    screen_.suspend();
    (void)std::raise(SIGSTOP);
    screen_.fit();
    request_draw();
}

void Top::request_draw() {
    if (draw_.armed()) return;
    draw_.arm_at(std::max(Clock::now(), draw_again_));
}

// A terminal that takes nothing, as after Ctrl-S, must not keep us from reading the bus.
void Top::draw() {
    if (!can_write()) return writable_.set_io_events(EPOLLOUT);
    const Clock::time_point begin = Clock::now();
    const TopLayout now = layout();
    state_ = settled(std::move(state_), top_rows(model_, state_.filter), now.tree);
    screen_.show(
        top_lines({model_, state_, samples_.usage(), bus_name(bus_), now_usec(), unicode_}, now.size));
    draw_again_ = begin + std::max(least_between_draws, draw_share * (Clock::now() - begin));
}

TopLayout Top::layout() const {
    return top_layout(screen_.size(), state_);
}

void Top::say(std::string text, Tone tone) {
    state_.status = std::move(text);
    state_.status_tone = tone;
    request_draw();
}

}  // namespace shorewatch::ctl
