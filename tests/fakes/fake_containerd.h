// A containerd that is played: what it knows is set by the test, and any of its methods can be made to
// misbehave.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "engines/support/timestamp.h"
#include "tests/fakes/drive.h"
#include "tests/fakes/grpc_server.h"

namespace shorewatch::fakes {

// Methods, by the last part of their names: "Containers/Get", "Tasks/List", "Events/Subscribe" …
class FakeContainerd {
  public:
    using Labels = std::vector<std::pair<std::string, std::string>>;

    // A container, with a task if it has a status (containerd's: 1 created, 2 running, 3 stopped, 4 paused).
    struct Contents {
        std::string id;
        std::string image = "busybox";
        Labels labels = {};
        std::uint32_t status = 2;
        std::uint32_t pid = 1;
        std::uint32_t exit_status = 0;
        bool has_task = true;
        bool ignores_signals = false;  // all but SIGKILL; else it ends by any
        std::string spec = R"({"ociVersion":"1.0.2"})";
    };

    FakeContainerd();

    [[nodiscard]] Endpoint endpoint() const { return server_.endpoint(); }
    void stop() { server_.stop(); }

    // As the lists and the inspections have it. Makes no event.
    void put(const std::string& name_space, Contents contents);
    // The process that it was.
    std::uint32_t remove(const std::string& name_space, const std::string& id);

    // Its task ends, as containers end by themselves: who waits for it is told, and so are all subscribers.
    void die(const std::string& name_space, const std::string& id, std::uint32_t exit_status);
    // What its task was sent, in order.
    [[nodiscard]] std::vector<int> signals(const std::string& name_space, const std::string& id) const;

    // An event to all subscribers, whatever their filters; event is serialized.
    void emit(const std::string& name_space, const std::string& topic, const std::string& event,
              RealTime time = real_time_now());
    void emit_start(const std::string& name_space, const std::string& id, std::uint32_t pid = 1);
    void emit_exit(const std::string& name_space, const std::string& id, std::uint32_t exit_status,
                   const std::string& process = {}, std::uint32_t pid = 1);
    // Bytes to all subscribers, and the end of all subscriptions.
    void stream_bytes(const std::string& bytes);
    void end_streams(int code, const std::string& text);

    // What a method does instead of its duty from now on.
    void replace(const std::string& method, GrpcServer::Handler handler);
    // Answers with an error.
    void refuse(const std::string& method, int code, const std::string& text = "no");
    // Never answers.
    void hang(const std::string& method);
    void restore(const std::string& method);
    // Lets a call that a replaced Subscribe has got be a subscription from now on.
    void subscribe(const GrpcExchangePtr& exchange);

    // How often a method was called.
    [[nodiscard]] std::size_t calls(const std::string& method) const;
    [[nodiscard]] bool wait_for_calls(const std::string& method, std::size_t count) const;
    [[nodiscard]] std::vector<std::string> filters() const;  // of the last Subscribe
    [[nodiscard]] std::size_t subscribers() const;
    // Waits until there is or was one.
    [[nodiscard]] bool wait_for_subscriber() const;
    // Waits until all subscribers have left.
    [[nodiscard]] bool all_gone() const;

  private:
    void handle(const GrpcExchangePtr& exchange);
    void serve(const std::string& method, const GrpcExchangePtr& exchange);
    // Both with the mutex held.
    void add_subscriber(const GrpcExchangePtr& exchange);
    void publish(const std::string& name_space, const GrpcExchangePtr& exchange);
    // fake_containerd_tasks.cpp: Tasks/Pause, Resume, Kill and Wait. False: another method.
    bool serve_task(const std::string& method, const GrpcExchangePtr& exchange);
    void change(const std::string& method, const std::string& name_space, const GrpcExchangePtr& exchange);

    mutable std::mutex mutex_;
    mutable std::condition_variable changed_;
    std::map<std::string, std::map<std::string, Contents>> contents_;
    std::map<std::string, GrpcServer::Handler> replaced_;
    std::map<std::string, std::size_t> calls_;
    std::vector<std::string> filters_;
    std::vector<GrpcExchangePtr> subscribers_;
    std::map<std::string, std::vector<int>> signals_;           // by namespace/id
    std::multimap<std::string, GrpcExchangePtr> task_waiters_;  // the same
    GrpcServer server_;                                         // last: it calls
};

}  // namespace shorewatch::fakes
