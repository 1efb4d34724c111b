// gRPC and its threads, as long as this lives: each client has one, and its connections are made with it.
//
// What is done comes out of a queue, to a thread that waits for nothing else. gRPC's callbacks would do
// without that thread, but those of gRPC 1.51 look for work once a second, sleep for 0.1 s after that, and
// wake each other.
//
// gRPC joins its threads when the last channel goes, and so must not lose it on one of them, where calls come
// to their end. Here is who has each channel until nothing is under way on it any more.
#pragma once

#include <memory>

namespace shorewatch::grpc {

class Library {
  public:
    Library();
    // Waits until that thread is done with all calls, which have been ended before: some microseconds,
    // and it takes nothing of the engine.
    ~Library();
    Library(const Library&) = delete;
    Library& operator=(const Library&) = delete;

    struct Inside;  // for this folder
    [[nodiscard]] Inside& inside() noexcept { return *inside_; }

  private:
    std::unique_ptr<Inside> inside_;
};

}  // namespace shorewatch::grpc
