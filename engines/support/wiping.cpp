#include "engines/support/wiping.h"

#include <cstdlib>
#include <cstring>

#include <malloc.h>

namespace shorewatch {

void wiping_free(void* memory) noexcept {
    if (memory == nullptr) return;
    ::explicit_bzero(memory, ::malloc_usable_size(memory));
    std::free(memory);
}

void* wiping_realloc(void* memory, std::size_t size) noexcept {
    const std::size_t had = memory != nullptr ? ::malloc_usable_size(memory) : 0;
    if (size == 0) {
        wiping_free(memory);
        return nullptr;
    }
    if (size <= had && size >= had / 2) return memory;
    // realloc() would leave what it moves from as it is.
    void* const fresh = std::malloc(size);
    if (fresh == nullptr || memory == nullptr) return fresh;
    std::memcpy(fresh, memory, had < size ? had : size);
    wiping_free(memory);
    return fresh;
}

}  // namespace shorewatch
