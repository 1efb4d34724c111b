// One life of a connection to an engine: find out what it speaks, open the event stream, carry requests.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>

#include "engines/http/http_client.h"
#include "engines/http/json_stream.h"
#include "engines/rest/client.h"
#include "engines/rest/dialect.h"
#include "engines/support/pid_namespace.h"

namespace shorewatch::rest {

// Held by its Client until it ends, and by itself while it calls back: an observer may close the client
// or destroy it.
class Client::Session : public std::enable_shared_from_this<Client::Session> {
  public:
    Session(Client& owner, std::optional<RealTime> since, LifecycleObserver& observer);

    void start();
    // Nothing is called back from here on. The owner is not touched any more.
    void end();
    // Does the event stream stand?
    [[nodiscard]] bool is_open() const noexcept { return open_; }

    // Of the engine's pids, once the stream stands.
    [[nodiscard]] const PidNamespace& pids() const noexcept { return pids_; }

    // path: behind the prefix, as "/containers/json". done is called unless the session ends before.
    void get(std::string_view path, http::Request request, http::Reply done);
    // The same of what is done to containers, GET or POST: none of it takes the connections of the others.
    void control(std::string_view path, http::Request request, http::Reply done);
    // The same of what makes containers and fetches what they need, which may take its time.
    void deploy(std::string_view path, http::Request request, http::Reply done);
    // A request whose answer tells how it gets on, in pieces; then done is called, with nothing when the
    // answer is whole.
    using Progress = std::function<void(std::string_view bytes)>;
    using Whole = std::function<void(std::optional<EngineError>)>;
    void follow(std::string_view path, http::StreamRequest request, Progress progress, Whole done);

  private:
    void take_ping(const Result<http::Response>& result);
    void ask_info();
    void take_info(Result<http::Response> result);
    void open_events(RealTime since);
    void take_open(const Peer& peer);
    void reopen_events();
    void tell_identity();
    void take_bytes(std::string_view bytes);
    void take_object(std::string_view text);
    void take_end(const EngineError& error);
    void fail(const EngineError& error);
    void fail_stream(EngineError::Kind kind, std::string_view cause);
    void send(http::Client& client, http::Request request, http::Reply done);
    [[nodiscard]] http::Client& deploying();

    Client& owner_;     // until ended_
    Dialect& dialect_;  // the same
    const Endpoint endpoint_;
    const Options options_;
    std::optional<RealTime> since_;
    LifecycleObserver& observer_;
    bool ended_ = false;
    bool open_ = false;
    bool events_asked_ = false;
    bool reopening_ = false;              // the event stream, within this session
    std::optional<RealTime> last_event_;  // the latest that was told, or when the stream began
    bool info_asked_ = false;
    PidNamespace pids_;
    std::string prefix_;  // of all paths, as the greeting told
    json::StreamSplitter splitter_;
    std::uint64_t skipped_ = 0;  // events that were not used
    std::optional<http::Client> http_;
    std::optional<http::Client> control_http_;  // this and the next once they are needed
    std::optional<http::Client> deploy_http_;
    std::unordered_map<std::uint64_t, http::Exchange> requests_;
    std::uint64_t next_request_ = 0;
    http::Exchange events_;
};

}  // namespace shorewatch::rest
