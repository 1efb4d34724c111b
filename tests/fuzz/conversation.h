// A real client's whole conversation with an engine whose answers are the fuzzer's input: sockets, libcurl
// and all. What comes of it is checked; the answers are given byte by byte as they are.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engines/endpoint.h"
#include "engines/engine_client.h"
#include "engines/support/event_loop.h"
#include "engines/support/unique_fd.h"
#include "tests/fakes/listener.h"

namespace shorewatch::fuzz {

// Between the pieces of an input.
inline constexpr std::string_view divider = "\n%%%%\n";

class Conversation final : private LifecycleObserver {
  public:
    using MakeClient = std::function<std::unique_ptr<EngineClient>(EventLoop&, Endpoint)>;

    explicit Conversation(MakeClient make_client);
    ~Conversation() = default;
    Conversation(const Conversation&) = delete;
    Conversation& operator=(const Conversation&) = delete;

    // input: what is answered, heads and all, to the ping, to /info, to the events, to the list, and to
    // everything else; each answer ends with its connection.
    void hold(std::string_view input);

  private:
    struct Connection {
        UniqueFd fd;
        EventSource source;
        std::string request;
    };

    void on_stream_open() override;
    void on_identity(const EngineIdentity& identity) override;
    void on_event(const ContainerEvent& event) override;
    void on_gap(const std::string& why) override;
    void on_stream_end(const EngineError& error) override;

    void accept();
    void read(Connection& connection);
    void answer(Connection& connection);
    void ask_for_one();
    void end_events();
    // Ends the stream if nobody has taken it for one after some turns of the loop.
    void end_unless_open(int turns);

    MakeClient make_client_;
    fakes::Listener listener_{Endpoint::Transport::unix_socket};
    UniqueFd listening_ = listener_.open();
    EventLoop loop_;
    EventSource source_;
    std::unique_ptr<EngineClient> client_;
    std::vector<std::string_view> answers_;
    std::vector<std::unique_ptr<Connection>> connections_;
    UniqueFd events_;
    bool open_ = false;
    bool ended_ = false;
    unsigned round_ = 0;
};

}  // namespace shorewatch::fuzz
