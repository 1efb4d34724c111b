// Lists and inspections where CRI-O is the runtime: who containers are by their records, how they are by
// their verbose statuses, one by one.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engines/cri/cri_lookup.h"

namespace shorewatch::cri {

class CriClient::CrioListing : public std::enable_shared_from_this<CriClient::CrioListing> {
  public:
    CrioListing(Session& session, ListReply reply) : session_(session), reply_(std::move(reply)) {}

    void start();

  private:
    struct Question {
        std::string id;
        bool of_sandbox = false;
    };

    void take_found(Result<Found> found);
    // The next ones, as many as may be under way.
    void ask();
    void take_status(const Question& question, const grpc::Answer& answer);

    Session& session_;
    PendingReply<std::vector<ContainerPtr>> reply_;
    Found found_;
    std::vector<Question> questions_;
    std::size_t next_ = 0;
    std::size_t under_way_ = 0;
    std::vector<ContainerPtr> alive_;
};

class CriClient::CrioLooking : public std::enable_shared_from_this<CriClient::CrioLooking> {
  public:
    CrioLooking(Session& session, std::string id, InspectReply reply)
        : session_(session), id_(std::move(id)), reply_(std::move(reply)) {}

    void start();

  private:
    void take_found(Result<Found> found);
    void take_status(bool of_sandbox, const grpc::Answer& answer);
    void fail(EngineError::Kind kind, std::string_view cause);

    Session& session_;
    const std::string id_;
    PendingReply<Inspection> reply_;
    Found found_;
};

}  // namespace shorewatch::cri
