// A list of what is alive in all watched namespaces: two calls each, at the same time.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "engines/containerd/containerd_session.h"
#include "engines/containerd/messages.h"
#include "engines/pending_reply.h"

namespace shorewatch::containerd {

// Held by the calls under way, which end with the session.
class ContainerdClient::Listing : public std::enable_shared_from_this<ContainerdClient::Listing> {
  public:
    Listing(Session& session, ListReply reply) : session_(session), reply_(std::move(reply)) {}

    void start();

  private:
    // What the two calls of one namespace have brought.
    struct Part {
        std::string name;
        std::vector<Container> containers;
        std::unordered_map<std::string, Task> tasks;  // by the container's id
    };

    void take_namespaces(const grpc::Answer& answer);
    void ask_all(const std::vector<std::string>& names);
    void ask(Part& part);
    void take_container(Part& part, std::string_view bytes);
    void take_tasks(Part& part, std::string_view bytes);
    void finish_one();
    void add_alive(Part& part, std::vector<ContainerPtr>& alive);
    void fail(std::string_view cause);

    Session& session_;
    PendingReply<std::vector<ContainerPtr>> reply_;
    std::vector<std::unique_ptr<Part>> parts_;
    std::size_t under_way_ = 0;  // calls
    std::size_t containers_ = 0;
    std::size_t skipped_ = 0;  // containers without a usable id
};

}  // namespace shorewatch::containerd
