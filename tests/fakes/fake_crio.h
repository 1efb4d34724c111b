// A CRI-O that is played: pods and containers are set by the test, events go to every reader, as CRI-O's do.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tests/fakes/grpc_server.h"

namespace shorewatch::fakes {

// Methods, by their names: "Version", "ListContainers", "GetContainerEvents" …
class FakeCrio {
  public:
    using Labels = std::vector<std::pair<std::string, std::string>>;

    struct Pod {
        std::string id;
        std::string name;
        std::string name_space = "default";
        std::uint32_t pid = 0;  // 0: no process of its own, as usual
        bool ready = true;
        Labels annotations = {};
    };
    // state: the interface's, 1 running, 2 exited.
    struct Container {
        std::string id;
        std::string pod;
        std::string name;
        std::uint32_t pid = 1;
        std::uint32_t state = 1;
        std::int32_t exit_code = 0;
        Labels labels = {};
        Labels annotations = {};
        std::string info = {};  // empty: what CRI-O says, with the pid
    };

    explicit FakeCrio(std::string runtime_name = "cri-o");

    [[nodiscard]] Endpoint endpoint() const { return server_.endpoint(); }

    // As lists and statuses have it. Make no event.
    void put(Pod pod);
    void put(Container container);
    // A container, as if it had never been. Makes no event.
    void remove(const std::string& id);

    // To all readers of events. started: else stopped.
    void emit(const std::string& id, bool started, const std::string& pod, std::int32_t exit_code = 0);
    void stream_bytes(const std::string& bytes);

    // The time that a container was given to stop, in seconds, and 0 for a sandbox; nothing if it was not
    // stopped.
    [[nodiscard]] std::optional<std::int64_t> stopped_in(const std::string& id) const;

    // What a method does instead of its duty from now on.
    void replace(const std::string& method, GrpcServer::Handler handler);
    void refuse(const std::string& method, int code, const std::string& text = "no");

    // Waits until so many have asked for events.
    [[nodiscard]] bool wait_for_readers(std::size_t count) const;
    [[nodiscard]] std::size_t calls(const std::string& method) const;

  private:
    void handle(const GrpcExchangePtr& exchange);
    [[nodiscard]] std::string answer_to(const std::string& method, const std::string& request, int& code);
    // The answers of StopContainer and StopPodSandbox.
    [[nodiscard]] std::string stop(const std::string& method, const std::string& request, int& code);

    mutable std::mutex mutex_;
    mutable std::condition_variable changed_;
    std::string runtime_name_;
    std::map<std::string, Pod> pods_;
    std::map<std::string, Container> containers_;
    std::map<std::string, GrpcServer::Handler> replaced_;
    std::map<std::string, std::size_t> calls_;
    std::map<std::string, std::int64_t> stopped_;
    std::vector<GrpcExchangePtr> readers_;
    GrpcServer server_;  // last: it calls
};

}  // namespace shorewatch::fakes
