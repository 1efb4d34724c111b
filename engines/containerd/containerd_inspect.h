// A look at one container: its record and its task, asked for at the same time.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "engines/containerd/containerd_session.h"
#include "engines/containerd/messages.h"
#include "engines/pending_reply.h"

namespace shorewatch::containerd {

// Held by the calls under way, which end with the session.
class ContainerdClient::Looking : public std::enable_shared_from_this<ContainerdClient::Looking> {
  public:
    Looking(Session& session, Identifier identifier, InspectReply reply)
        : session_(session), identifier_(std::move(identifier)), reply_(std::move(reply)) {}

    void start();

  private:
    void take_container(const grpc::Answer& answer);
    void take_task(const grpc::Answer& answer);
    void finish_one();
    [[nodiscard]] Inspection inspection();
    [[nodiscard]] std::string purpose() const;

    Session& session_;
    const Identifier identifier_;
    PendingReply<Inspection> reply_;
    int under_way_ = 0;
    Container container_;
    std::optional<Task> task_;  // none: it has no task
};

}  // namespace shorewatch::containerd
