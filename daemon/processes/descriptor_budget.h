// How many descriptors may be spent on pidfds: they are what the daemon gives up first when it runs short, as
// the engines' events tell of exits too.
#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <utility>

namespace shorewatch {

class DescriptorBudget {
  public:
    // What one holder has taken; given back when it goes.
    class Share {
      public:
        Share() noexcept = default;

        explicit operator bool() const noexcept { return static_cast<bool>(left_); }

      private:
        friend class DescriptorBudget;
        struct GiveBack {
            void operator()(std::atomic<std::size_t>* left) const noexcept { ++*left; }
        };
        explicit Share(std::atomic<std::size_t>* left) noexcept : left_(left) {}

        std::unique_ptr<std::atomic<std::size_t>, GiveBack> left_;
    };

    // Kept for connections, requests, and what libraries open.
    static constexpr std::size_t reserve = 512;

    explicit DescriptorBudget(std::size_t most) noexcept : left_(most) {}
    // Raises the limit of this process to the highest that it may have, and leaves the reserve.
    [[nodiscard]] static std::size_t of_this_process() noexcept;

    // False when there is nothing left. Any thread; the budget outlives the share.
    [[nodiscard]] Share take() noexcept;

  private:
    std::atomic<std::size_t> left_;
};

}  // namespace shorewatch
