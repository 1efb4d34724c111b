// Who may have things done: root always, on the system bus others as polkit(8) has it, and on the session bus
// the user we run as.
//
// Lives as long as the daemon's face on the bus, and asks over whichever connection there is. Used on the
// loop's thread only.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

#include <sys/types.h>

#include "dbus/compat/sdbus.h"
#include "dbus/service/errors.h"
#include "dbus/service/handled_call.h"
#include "dbus/service/late_result.h"
#include "engines/support/log.h"

namespace shorewatch::bus {

// The actions of polkit, org.shorewatch1.inspect and so on; systemd/polkit/org.shorewatch1.policy describes
// them.
enum class Action {
    inspect,  // look into a container: its configuration, its processes, its namespaces
    control,  // pause, stop or kill a container; have the daemon read and list again
    run,      // run anything on the host, in containers of the caller's making
};

// What somebody wants to have done.
struct Request {
    Action action;
    // Completes "Only root may …", as in "have an engine listed again".
    std::string doing;
    // What it is done to, for the rules of polkit and for whoever has to authenticate. A rule that looks at
    // the container has to look at the engine too: who may start containers may give them any name. Empty:
    // not about one, or it has none. Polkit is given these as printable() has them.
    std::string engine = {};
    std::string container = {};  // its name
    std::string project = {};
};

class Authority {
  public:
    // refused: the error to answer with; absent: it may be done.
    using Then = std::function<void(const std::optional<sdbus::Error>& refused)>;

    // How many questions to polkit may be open, in all and of one user; who has to authenticate keeps one
    // open as long as that takes.
    static constexpr std::size_t most_open = 256;
    static constexpr std::size_t most_open_of_user = 32;
    // How many callers the bus may be asked about at a time. It answers at once, so this is a flood.
    static constexpr std::size_t most_lookups = 1024;
    // How long polkit may take: to be started and to decide, and to have somebody authenticate.
    static constexpr std::chrono::minutes decision_limit{1};
    static constexpr std::chrono::minutes authentication_limit{5};

    // same_user: on the session bus, where polkit has no say.
    explicit Authority(bool same_user) : same_user_(same_user) {}
    ~Authority() = default;
    Authority(const Authority&) = delete;
    Authority& operator=(const Authority&) = delete;

    // From now on asks over this connection, until disconnect().
    void connect(sdbus::IConnection& connection);
    // Before the connection goes. What is being decided is forgotten: no `then` of it will be called, and
    // what it holds is destroyed now.
    void disconnect() noexcept;

    // Decides whether the sender of the message may have that done; then is called once, later, from the
    // loop. By then the object that was called may be gone: then must not need it. Throws LimitsExceeded
    // when too much is being decided, and what the bus throws.
    void check(sd_bus_message* call, Request request, Then then);

    // The same for a method that has the annotation Method.Async: answers with the error if it may not be
    // done, and otherwise calls allowed, which has one of two forms.
    // allowed(): what it returns is the answer, or what it throws.
    // allowed(LateResult<Values...>&& result): it answers, now or later. What it throws is the answer as
    // long as it has not moved from result.
    template <typename... Values, typename Allowed>
    void require(const HandledCall& call, Request request, LateResult<Values...>&& result, Allowed allowed);
    // Of what object handles now. taken: what the answer would be sent by, were it sent at once.
    template <typename... Values, typename Allowed>
    void require(sdbus::IObject& object, Request request, sdbus::Result<Values...>&& taken, Allowed allowed);

  private:
    struct Check {
        Caller caller;
        Request request;
        Then then;
        // The caller's, once the bus has told it: from then on polkit is being asked.
        std::optional<uid_t> user;
    };

    void ask_bus(std::uint64_t id, const std::string& sender);
    void take_user(std::uint64_t id, Check& check, uid_t user);
    void ask_polkit(std::uint64_t id, const Check& check);
    void cancel(std::uint64_t id);
    // Runs a step of a check, if that is still there; what it throws is the end of the check.
    template <typename Step>
    void proceed(std::uint64_t id, const Step& step) noexcept;
    void finish(std::uint64_t id, const std::optional<sdbus::Error>& refused);

    const bool same_user_;
    std::uint64_t last_id_ = 0;
    std::map<std::uint64_t, Check> checks_;
    std::unique_ptr<sdbus::IProxy> driver_;
    std::unique_ptr<sdbus::IProxy> polkit_;
};

// Answers with the error that make throws, if it throws. A bus that does not take that is noticed by whoever
// reads from it.
template <typename Reply, typename Make>
void answer_errors_of(const Reply& result, const Make& make) noexcept {
    try {
        try {
            answer(make);
        } catch (const sdbus::Error& refused) {
            result.returnError(refused);
        }
    } catch (const std::exception& failure) {
        log::debug(std::string("Can't answer a call: ") + failure.what());
    }
}

template <typename... Values, typename Allowed>
// NOLINTNEXTLINE(cppcoreguidelines-rvalue-reference-param-not-moved): it is, into what is shared
void Authority::require(const HandledCall& call, Request request, LateResult<Values...>&& result,
                        Allowed allowed) {
    // Shared, because what a std::function holds has to be copyable.
    auto held = std::make_shared<LateResult<Values...>>(std::move(result));
    auto then = [held, allowed = std::move(allowed)](const std::optional<sdbus::Error>& refused) mutable {
        answer_errors_of(*held, [&] {
            if (refused) throw sdbus::Error(*refused);
            if constexpr (std::is_invocable_v<Allowed&, LateResult<Values...>&&>) {
                allowed(std::move(*held));
            } else if constexpr (std::is_void_v<std::invoke_result_t<Allowed&>>) {
                allowed();
                held->returnResults();
            } else {
                held->returnResults(allowed());
            }
        });
    };
    check(call.message, std::move(request), std::move(then));
}

template <typename... Values, typename Allowed>
// NOLINTNEXTLINE(cppcoreguidelines-rvalue-reference-param-not-moved): the object may have gone by the answer
void Authority::require(sdbus::IObject& object, Request request, sdbus::Result<Values...>&& /*taken*/,
                        Allowed allowed) {
    const HandledCall call = handled_by(object);
    require(call, std::move(request), LateResult<Values...>(call), std::move(allowed));
}

}  // namespace shorewatch::bus
