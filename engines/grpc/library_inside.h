// What the folder's other files have to know of a Library.
#pragma once

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include <grpcpp/channel.h>
#include <grpcpp/completion_queue.h>

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

// Something under way whose end comes out of the queue.
class QueueTag {
  public:
    // The library's thread. ok is gRPC's: was it done?
    virtual void done(bool ok) noexcept = 0;
    // Calls done() of what the queue knows by that tag.
    static void take(void* tag, bool ok) noexcept;

    QueueTag(const QueueTag&) = delete;
    QueueTag& operator=(const QueueTag&) = delete;

  protected:
    QueueTag() = default;
    ~QueueTag() = default;
    // What the queue knows it by: the last argument of what is begun.
    [[nodiscard]] void* tag() noexcept;
};

struct Library::Inside {
    Inside();
    // Nothing is under way any more.
    ~Inside();
    Inside(const Inside&) = delete;
    Inside& operator=(const Inside&) = delete;

    // Lets go of those that nobody else has.
    void keep(std::shared_ptr<::grpc::Channel> channel);

    std::shared_ptr<Census> census = std::make_shared<Census>();
    std::vector<std::shared_ptr<::grpc::Channel>> channels;
    ::grpc::CompletionQueue queue;

  private:
    std::thread thread_;  // takes what is done out of the queue
};

}  // namespace shorewatch::grpc
