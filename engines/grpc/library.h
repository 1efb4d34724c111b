// gRPC and its threads, as long as this lives: each client has one, and its connections are made with it.
//
// gRPC joins its threads when the last channel goes, and so must not lose it on one of them, where calls come
// to their end. Here is who has each channel until nothing is under way on it any more.
#pragma once

#include <memory>

namespace shorewatch::grpc {

class Library {
  public:
    Library();
    // Waits until gRPC's threads are done with all calls, which have been ended before: some microseconds,
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
