#include "tests/fakes/leak_check.h"

#include <algorithm>
#include <exception>
#include <filesystem>
#include <iterator>
#include <thread>

#include "tests/fakes/drive.h"
#include "tests/unit/catch.h"

namespace shorewatch::fakes {

namespace {

namespace fs = std::filesystem;

std::set<std::string> open_descriptors() {
    std::set<std::string> result;
    for (const auto& entry : fs::directory_iterator("/proc/self/fd")) {
        std::error_code gone;
        const fs::path target = fs::read_symlink(entry.path(), gone);
        // The one that reads this folder is gone afterwards.
        if (!gone && !target.string().ends_with("/fd")) {
            result.insert(entry.path().filename().string() + " " + target.string());
        }
    }
    return result;
}

std::set<std::string> running_threads() {
    // A sanitizer's own thread starts with the first that the program starts, and stays.
    [[maybe_unused]] static const bool one_has_run = [] {
        std::thread([] {}).join();
        return true;
    }();
    std::set<std::string> result;
    for (const auto& entry : fs::directory_iterator("/proc/self/task")) {
        result.insert(entry.path().filename().string());
    }
    return result;
}

std::set<std::string> beyond(const std::set<std::string>& before, const std::set<std::string>& after) {
    std::set<std::string> result;
    std::ranges::set_difference(after, before, std::inserter(result, result.end()));
    return result;
}

// A joined thread leaves /proc a moment after join() returns, and the kernel tells nobody.
std::set<std::string> threads_beyond(const std::set<std::string>& before) {
    const auto deadline = Clock::now() + patience;
    auto more = beyond(before, running_threads());
    while (!more.empty() && Clock::now() < deadline) {
        std::this_thread::yield();
        more = beyond(before, running_threads());
    }
    return more;
}

}  // namespace

LeakCheck::LeakCheck()
    : descriptors_(open_descriptors()),
      threads_(running_threads()),
      exceptions_(std::uncaught_exceptions()) {}

LeakCheck::~LeakCheck() {
    // A test that has failed already has said enough.
    if (std::uncaught_exceptions() > exceptions_) return;
    const auto descriptors = beyond(descriptors_, open_descriptors());
    const auto threads = threads_beyond(threads_);
    CAPTURE(descriptors, threads);
    CHECK(descriptors.empty());
    CHECK(threads.empty());
}

}  // namespace shorewatch::fakes
