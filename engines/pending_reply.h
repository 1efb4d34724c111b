// The answer that somebody waits for, given once: of several things under way, each may have one.
#pragma once

#include <functional>
#include <utility>

#include "engines/result.h"

namespace shorewatch {

template <typename T>
class PendingReply {
  public:
    using Function = std::function<void(Result<T>)>;

    explicit PendingReply(Function function) : function_(std::move(function)) {}

    // Has none been given yet?
    explicit operator bool() const noexcept { return static_cast<bool>(function_); }

    // Only the first is. What is called may destroy this.
    void give(Result<T> answer) {
        if (const Function call = std::exchange(function_, nullptr)) call(std::move(answer));
    }

  private:
    Function function_;
};

}  // namespace shorewatch
