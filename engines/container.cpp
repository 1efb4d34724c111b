#include "engines/container.h"

#include <algorithm>

#include "engines/support/text.h"

namespace shorewatch {

namespace {

std::size_t size_of(const Labels::Entry& entry) {
    return entry.first.size() + entry.second.size();
}

}  // namespace

Labels::Labels(std::vector<Entry> entries) : entries_(std::move(entries)) {
    for (auto& [key, value] : entries_) {
        // Cheap refusal first: cleaning up can triple a text, and one this long is left out anyway.
        if (key.size() + value.size() > max_bytes) continue;
        key = valid_utf8(key);
        value = valid_utf8(value);
    }
    std::ranges::stable_sort(entries_, {}, &Entry::first);
    const auto last_of_equals =
        std::unique(entries_.rbegin(), entries_.rend(),
                    [](const Entry& a, const Entry& b) { return a.first == b.first; });
    entries_.erase(entries_.begin(), last_of_equals.base());
    for (const Entry& entry : entries_)
        bytes_ += size_of(entry);
    if (bytes_ > max_bytes) {
        truncated_ = true;
        std::ranges::stable_sort(entries_, {}, size_of);
        while (bytes_ > max_bytes) {
            bytes_ -= size_of(entries_.back());
            entries_.pop_back();
        }
        std::ranges::sort(entries_, {}, &Entry::first);
    }
    entries_.shrink_to_fit();
}

Labels Labels::all_left_out() {
    Labels labels;
    labels.truncated_ = true;
    return labels;
}

Labels Labels::with(std::string key, std::string value) const {
    std::vector<Entry> entries = entries_;
    entries.emplace_back(std::move(key), std::move(value));
    Labels labels(std::move(entries));
    labels.truncated_ = labels.truncated_ || truncated_;
    return labels;
}

const std::string* Labels::find(std::string_view key) const noexcept {
    const auto found = std::ranges::lower_bound(entries_, key, {}, &Entry::first);
    return found != entries_.end() && found->first == key ? &found->second : nullptr;
}

bool Container::is_same_run(const Container& other) const noexcept {
    const bool same_pid = pid == other.pid || pid == 0 || other.pid == 0;
    const bool same_start = started == other.started || !started || !other.started;
    return id == other.id && same_pid && same_start;
}

bool Container::started_after(std::optional<RealTime> time) const noexcept {
    return started && time && *started > *time;
}

ContainerPtr Container::with_paused(bool now_paused) const {
    auto copy = std::make_shared<Container>(*this);
    copy->paused = now_paused;
    return copy;
}

ContainerPtr Container::with_pid(std::uint32_t its_pid) const {
    auto copy = std::make_shared<Container>(*this);
    copy->pid = its_pid;
    return copy;
}

ContainerPtr Container::with_name(std::string new_name) const {
    auto copy = std::make_shared<Container>(*this);
    copy->name = std::move(new_name);
    return copy;
}

ContainerPtr Container::without_process() const {
    auto copy = std::make_shared<Container>(*this);
    copy->pid = 0;
    copy->paused = false;
    return copy;
}

std::string project_of(const Labels& labels) {
    for (const std::string_view key :
         {"com.docker.compose.project", "io.podman.compose.project", "org.shorewatch.task-family"}) {
        if (const std::string* project = labels.find(key)) return valid_utf8(*project, longest_name);
    }
    return {};
}

}  // namespace shorewatch
