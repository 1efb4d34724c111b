#include "engines/http/json_stream.h"

#include <utility>

namespace shorewatch::json {

namespace {

using Kind = StreamSplitter::Item::Kind;

// JSON's own, and the record separator of application/json-seq (RFC 7464).
constexpr std::string_view white_space = " \t\r\n\x1e";
constexpr std::string_view scalar_bytes = "0123456789+-.abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
constexpr std::size_t longest_scalar = 64;
constexpr std::size_t excerpt_size = 80;
// A buffer that once held a large value is given back; one of this size stays for the next.
constexpr std::size_t kept_capacity = std::size_t{64} * 1024;

bool is_scalar(std::string_view text) {
    if (text == "null" || text == "true" || text == "false") return true;
    const bool starts_like_a_number = text.front() == '-' || (text.front() >= '0' && text.front() <= '9');
    return starts_like_a_number && text.find_first_not_of("0123456789+-.eE") == std::string_view::npos;
}

}  // namespace

void StreamSplitter::feed(std::string_view bytes) {
    bytes_ = bytes;
    at_ = 0;
    begin_ = 0;
}

StreamSplitter::Item StreamSplitter::next() {
    if (state_ == State::failed) return {};
    for (;;) {
        if (state_ == State::between) {
            release_kept();
            at_ = bytes_.find_first_not_of(white_space, at_);
            if (at_ >= bytes_.size()) {
                at_ = bytes_.size();
                return {};
            }
            if (!begin_value()) return fail();
        }
        if (!scan_value()) {
            keep_rest();
            return {};
        }
        if (const Item item = end_value(); item.kind != Kind::need_more) return item;
    }
}

bool StreamSplitter::inside_value() const noexcept {
    return state_ == State::object || state_ == State::array || state_ == State::string;
}

bool StreamSplitter::begin_value() {
    const char first = bytes_[at_];
    begin_ = at_;
    size_ = 0;
    depth_ = 0;
    in_string_ = false;
    escaped_ = false;
    if (first == '{') {
        state_ = State::object;
    } else if (first == '[') {
        state_ = State::array;
    } else if (first == '"') {
        state_ = State::string;
        in_string_ = true;
        ++at_;
    } else if (scalar_bytes.find(first) != std::string_view::npos) {
        state_ = State::scalar;
    } else {
        return false;
    }
    return true;
}

// True when the value is whole; at_ is then the byte after it.
bool StreamSplitter::scan_value() {
    switch (state_) {
        case State::scalar:
            return scan_scalar();
        case State::string:
            return scan_string();
        default:
            return scan_brackets();
    }
}

bool StreamSplitter::scan_brackets() {
    while (at_ < bytes_.size()) {
        if (in_string_ && !scan_string()) return false;
        at_ = bytes_.find_first_of("\"{}[]", at_);
        if (at_ >= bytes_.size()) break;
        const char byte = bytes_[at_++];
        if (byte == '"') {
            in_string_ = true;
        } else if (byte == '{' || byte == '[') {
            ++depth_;
        } else if (--depth_ == 0) {
            return true;
        }
    }
    at_ = bytes_.size();
    return false;
}

// From inside a string to the byte after its closing quote; true when that is there.
bool StreamSplitter::scan_string() {
    for (; at_ < bytes_.size(); ++at_) {
        const char byte = bytes_[at_];
        if (std::exchange(escaped_, !escaped_ && byte == '\\')) continue;
        if (byte != '"') continue;
        ++at_;
        in_string_ = false;
        return true;
    }
    return false;
}

bool StreamSplitter::scan_scalar() {
    at_ = bytes_.find_first_not_of(scalar_bytes, at_);
    if (at_ < bytes_.size()) return true;
    at_ = bytes_.size();
    // A word that never ends: let end_value() refuse it.
    return kept_.size() + (at_ - begin_) > longest_scalar;
}

StreamSplitter::Item StreamSplitter::end_value() {
    const State ended = std::exchange(state_, State::between);
    std::string_view text = bytes_.substr(begin_, at_ - begin_);
    const std::uint64_t size = size_ + text.size();
    if (ended == State::object && size > limit_) return {Kind::oversize, {}, size};
    if (!kept_.empty()) text = kept_.append(text);
    if (ended == State::object) return {Kind::object, text, size};
    if (ended == State::scalar && (text.size() > longest_scalar || !is_scalar(text))) {
        state_ = State::failed;
        return {Kind::malformed, text.substr(0, excerpt_size), size};
    }
    ++skipped_;
    return {};
}

StreamSplitter::Item StreamSplitter::fail() {
    state_ = State::failed;
    return {Kind::malformed, bytes_.substr(at_, excerpt_size), 0};
}

// The value goes on in the next feed.
void StreamSplitter::keep_rest() {
    const std::string_view rest = bytes_.substr(begin_);
    const bool wanted = state_ == State::object || state_ == State::scalar;
    size_ += rest.size();
    if (wanted && size_ <= limit_) {
        kept_.append(rest);
    } else {
        release_kept();
        kept_.shrink_to_fit();
    }
    begin_ = bytes_.size();
}

void StreamSplitter::release_kept() {
    kept_.clear();
    if (kept_.capacity() > kept_capacity) kept_.shrink_to_fit();
}

}  // namespace shorewatch::json
