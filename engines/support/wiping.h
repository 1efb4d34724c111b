// Memory that is written over before it is freed, so that no password stays behind in it: for C libraries and
// containers that take functions to allocate with. The daemon's operator delete does the same.
#pragma once

#include <cstddef>

namespace shorewatch {

// In the places of free() and realloc(), for memory of malloc().
void wiping_free(void* memory) noexcept;
[[nodiscard]] void* wiping_realloc(void* memory, std::size_t size) noexcept;

// An allocator of RapidJSON's.
class WipingAllocator {
  public:
    // NOLINTBEGIN(readability-identifier-naming): as RapidJSON has them
    static constexpr bool kNeedFree = true;
    [[nodiscard]] void* Malloc(std::size_t size) { return wiping_realloc(nullptr, size); }
    [[nodiscard]] void* Realloc(void* memory, std::size_t /*old_size*/, std::size_t size) {
        return wiping_realloc(memory, size);
    }
    static void Free(void* memory) noexcept { wiping_free(memory); }
    // NOLINTEND(readability-identifier-naming)
};

}  // namespace shorewatch
