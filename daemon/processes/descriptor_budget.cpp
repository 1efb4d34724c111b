#include "daemon/processes/descriptor_budget.h"

#include <sys/resource.h>

namespace shorewatch {

std::size_t DescriptorBudget::of_this_process() noexcept {
    rlimit limit{};
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return 0;
    if (limit.rlim_cur != limit.rlim_max) {
        const rlimit highest{limit.rlim_max, limit.rlim_max};
        if (setrlimit(RLIMIT_NOFILE, &highest) == 0) limit = highest;
    }
    const auto most = static_cast<std::size_t>(limit.rlim_cur);
    return most > 2 * reserve ? most - reserve : most / 2;
}

DescriptorBudget::Share DescriptorBudget::take() noexcept {
    std::size_t left = left_.load(std::memory_order_relaxed);
    while (left > 0) {
        if (left_.compare_exchange_weak(left, left - 1, std::memory_order_relaxed)) return Share(&left_);
    }
    return Share();
}

}  // namespace shorewatch
