// The machinery behind FakeDocker: its thread, its HTTP server, and the state that both sides share.
//
// Threads: members of World are guarded by its mutex; what is marked "loop" belongs to the engine's thread.
// Hooks run there with no lock held.
#pragma once

#include <filesystem>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tests/fakes/behaviour.h"
#include "tests/fakes/docker_json.h"
#include "tests/fakes/docker_model.h"
#include "tests/fakes/event_log.h"
#include "tests/fakes/fake_docker.h"
#include "tests/fakes/http_server.h"
#include "tests/fakes/listener.h"
#include "tests/fakes/observations.h"

namespace shorewatch::fakes {

// What goes to the event streams, in one order for all kinds.
struct StreamItem {
    enum class Kind { event, text, bytes, end, cut };

    Kind kind = Kind::event;
    DockerEvent event = {};
    std::string text = {};
    std::uint64_t number = 0;  // a stream takes only what is newer than itself
};

struct World {
    std::mutex mutex;
    DockerModel model;
    EngineFacts facts;
    EventLog log;
    bool running = true;
    bool holding = false;
    std::vector<DockerEvent> held;
    std::vector<StreamItem> outbox;
    std::uint64_t next_number = 0;
};

struct Answer {
    int status = 200;
    std::string body;
    std::string content_type = "application/json";
};

// 41 of "1.41"; nothing of anything else.
[[nodiscard]] std::optional<ApiMinor> minor_of(std::string_view version);

class DockerServer {
  public:
    explicit DockerServer(FakeDocker::Options options);
    ~DockerServer();
    DockerServer(const DockerServer&) = delete;
    DockerServer& operator=(const DockerServer&) = delete;

    // Runs something on the engine's thread and waits for it; on that thread, at once.
    void on_engine(const std::function<void()>& task);

    // Any thread, with the world locked by the caller.
    void publish(DockerEvent event);
    void send_to_streams(StreamItem item);

    void add_behaviour(Request kind, Behaviour behaviour);
    void clear_behaviours();

    World world;
    Observations observations;
    Listener listener;

    // Loop.
    void end_process();
    void listen();
    HttpServer& http() noexcept { return *http_; }

  private:
    struct Exchange {
        HttpConnectionPtr connection;
        SeenRequest request;
        Behaviour behaviour;
    };
    using ExchangePtr = std::shared_ptr<Exchange>;

    struct Stream {
        HttpConnectionPtr connection;
        EventFilter filter;
        ApiMinor api = 0;
        std::uint64_t first_number = 0;
        bool open = false;  // until then, what is to be sent is kept:
        std::string pending;
        bool ended = false;
    };
    using StreamPtr = std::shared_ptr<Stream>;

    struct ActiveBehaviour {
        Request kind;
        Behaviour behaviour;
        unsigned matched = 0;
    };

    // Posts to the loop for as long as there is one: a gate may outlive the engine.
    struct Mailbox {
        std::mutex mutex;
        EventLoop* loop = nullptr;
        void post(std::function<void()> task);
    };

    // docker_server_requests.cpp
    void take_request(const HttpConnectionPtr& connection, HttpRequest http);
    [[nodiscard]] Behaviour behaviour_for(const SeenRequest& request);
    void note_inspect(const HttpConnectionPtr& connection);
    void pass(const std::optional<Gate>& gate, const ExchangePtr& exchange, std::function<void()> next);
    void begin(const ExchangePtr& exchange);
    void answer(const ExchangePtr& exchange);
    [[nodiscard]] Answer compute(const Exchange& exchange);
    // docker_server_control.cpp; with the world locked.
    [[nodiscard]] Answer control(const SeenRequest& request);
    void send(Exchange& exchange, Answer answer);
    [[nodiscard]] std::string head(const Answer& answer);

    // docker_server_streams.cpp
    void begin_stream(const ExchangePtr& exchange);
    [[nodiscard]] StreamPtr subscribe(const Exchange& exchange);
    void deliver();
    static void deliver_to(Stream& stream, const StreamItem& item);
    static void write_to(Stream& stream, const std::string& bytes);
    static void flush(Stream& stream);

    std::unique_ptr<ChannelFactory> channels_;
    std::shared_ptr<Mailbox> mailbox_ = std::make_shared<Mailbox>();
    std::mutex behaviours_mutex_;
    std::list<ActiveBehaviour> behaviours_;  // the one said last in front; guarded by behaviours_mutex_
    LoopThread thread_;
    std::unique_ptr<HttpServer> http_;  // loop
    std::list<StreamPtr> streams_;      // loop
};

}  // namespace shorewatch::fakes
