// Who containers are: their records and those of their pods.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>

#include "engines/cri/cri_session.h"
#include "engines/pending_reply.h"

namespace shorewatch::cri {

struct Found {
    std::unordered_map<std::string, Record> containers;  // by id
    std::unordered_map<std::string, Pod> pods;           // by the sandbox's id

    // Fills in what is known of the container, or sandbox, with this id. False if nothing is.
    [[nodiscard]] bool describe(const std::string& id, Container& container) const;
};

// Held by the calls under way, which end with the session.
class CriClient::Lookup : public std::enable_shared_from_this<CriClient::Lookup> {
  public:
    using Done = std::function<void(Result<Found>)>;

    // id: of a container or a sandbox, whose pod is found too; empty: all there are.
    Lookup(Session& session, std::string id, std::string purpose, Done done)
        : session_(session), id_(std::move(id)), purpose_(std::move(purpose)), done_(std::move(done)) {}

    void start();

  private:
    [[nodiscard]] std::chrono::milliseconds deadline() const;
    void ask_pods(const std::string& id);
    void take_containers(const grpc::Answer& answer);
    void take_pods(const grpc::Answer& answer);
    void finish_one();

    Session& session_;
    const std::string id_;
    const std::string purpose_;
    PendingReply<Found> done_;
    int under_way_ = 0;
    Found found_;
};

}  // namespace shorewatch::cri
