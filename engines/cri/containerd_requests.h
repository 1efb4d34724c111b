// Lists and inspections where containerd is the runtime: how containers are by containerd's own client, who
// they are by the runtime interface; both are asked at the same time.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engines/cri/cri_lookup.h"

namespace shorewatch::cri {

class CriClient::Listing : public std::enable_shared_from_this<CriClient::Listing> {
  public:
    Listing(Session& session, ListReply reply) : session_(session), reply_(std::move(reply)) {}

    void start();

  private:
    void finish_one();

    Session& session_;
    PendingReply<std::vector<ContainerPtr>> reply_;
    std::optional<Found> found_;
    std::optional<std::vector<ContainerPtr>> alive_;
};

// A sandbox has a process before the plugin of containerd that serves the interface knows it: for a moment it
// is asked again.
class CriClient::Looking : public std::enable_shared_from_this<CriClient::Looking> {
  public:
    Looking(Session& session, std::string id, InspectReply reply)
        : session_(session),
          id_(std::move(id)),
          reply_(std::move(reply)),
          again_(session.loop(), [this] { ask_who(); }) {}

    void start();

  private:
    void ask_who();
    void finish_one();

    Session& session_;
    const std::string id_;
    PendingReply<Inspection> reply_;
    std::optional<Found> found_;
    std::optional<Inspection> inspection_;
    Timer again_;
    std::chrono::milliseconds delay_{5};  // until it is asked again
};

}  // namespace shorewatch::cri
