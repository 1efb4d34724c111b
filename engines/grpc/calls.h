// The calls that are under way for somebody, who ends them all at once.
#pragma once

#include <cstdint>
#include <unordered_map>

#include "engines/grpc/connection.h"

namespace shorewatch::grpc {

class Calls {
  public:
    Calls() = default;
    Calls(const Calls&) = delete;
    Calls& operator=(const Calls&) = delete;
    ~Calls() = default;

    // As Connection's. The handlers may destroy this.
    void call(Connection& connection, Request request, Reply reply);
    void stream(Connection& connection, Request request, StreamHandlers handlers);

    // Ends all without calling back.
    void clear() noexcept { calls_.clear(); }

  private:
    std::unordered_map<std::uint64_t, Call> calls_;
    std::uint64_t next_ = 0;
};

}  // namespace shorewatch::grpc
