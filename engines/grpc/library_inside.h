// What the folder's other files have to know of a Library.
#pragma once

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include <grpcpp/channel.h>

#include "engines/grpc/library.h"

namespace shorewatch::grpc {

// How many calls gRPC's threads have to do with.
class Census {
  public:
    void add() noexcept;
    void remove() noexcept;
    // False if it takes longer.
    [[nodiscard]] bool wait_until_none(std::chrono::milliseconds limit);

  private:
    std::mutex mutex_;
    std::condition_variable none_;
    std::size_t count_ = 0;  // guarded by mutex_
};

// One of them, from the start of a call to the moment when gRPC has nothing of it any more.
class Ticket {
  public:
    explicit Ticket(std::shared_ptr<Census> census) : census_(std::move(census)) { census_->add(); }
    ~Ticket() { census_->remove(); }
    Ticket(const Ticket&) = delete;
    Ticket& operator=(const Ticket&) = delete;

  private:
    std::shared_ptr<Census> census_;
};

struct Library::Inside {
    // Lets go of those that nobody else has.
    void keep(std::shared_ptr<::grpc::Channel> channel);

    std::shared_ptr<Census> census = std::make_shared<Census>();
    std::vector<std::shared_ptr<::grpc::Channel>> channels;
};

}  // namespace shorewatch::grpc
