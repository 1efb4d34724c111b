// What C++ frees is written over first, in the whole process: of the credentials that come in files and calls
// nothing is left in memory when they have gone, whoever has copied them on their way. sdbus-c++ copies
// arguments, and std::string short texts, where no type of ours sees it.
//
// Not compiled where there are sanitizers, which have operators of their own.
#include <cstdlib>
#include <cstring>
#include <new>

#include "engines/support/wiping.h"

// What operator new gives is of malloc().
// NOLINTBEGIN(cert-dcl54-cpp)

void operator delete(void* memory) noexcept {
    shorewatch::wiping_free(memory);
}

void operator delete(void* memory, std::size_t size) noexcept {
    if (memory == nullptr) return;
    ::explicit_bzero(memory, size);
    std::free(memory);
}

// NOLINTEND(cert-dcl54-cpp)
