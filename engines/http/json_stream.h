// Cuts a stream of concatenated JSON values into whole objects, however the bytes arrive.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace shorewatch::json {

// Feed it what arrives, then take what is whole:
//
//     splitter.feed(bytes);
//     for (auto item = splitter.next(); item.kind != Kind::need_more; item = splitter.next()) …
//
// Objects are found by their brackets, strings being known; whether they are valid inside is the parser's to
// say. Other top-level values (null, numbers, strings, arrays) are skipped and counted. White space between
// values is optional where they can be told apart without.
class StreamSplitter {
  public:
    struct Item {
        enum class Kind {
            need_more,  // all that was fed is used up
            object,     // text is a whole object
            oversize,   // an object larger than the limit went by and was not kept
            malformed,  // text is the beginning of what is no JSON value; nothing follows any more
        };
        Kind kind = Kind::need_more;
        std::string_view text;   // valid until the next call of feed() or next()
        std::uint64_t size = 0;  // of the value, in bytes
    };

    static constexpr std::size_t default_limit = std::size_t{4} * 1024 * 1024;

    // limit: the largest object that is kept, in bytes. Never more than that is held.
    explicit StreamSplitter(std::size_t limit = default_limit) : limit_(limit) {}

    // Only at the start and after next() returned need_more. The bytes must live until it does so again.
    void feed(std::string_view bytes);
    [[nodiscard]] Item next();

    // Has an object, array or string begun that is not whole?
    [[nodiscard]] bool inside_value() const noexcept;
    // How many top-level values were no objects.
    [[nodiscard]] std::uint64_t skipped() const noexcept { return skipped_; }

  private:
    enum class State { between, object, array, string, scalar, failed };

    [[nodiscard]] bool begin_value();
    [[nodiscard]] bool scan_value();
    [[nodiscard]] bool scan_brackets();
    [[nodiscard]] bool scan_string();
    [[nodiscard]] bool scan_scalar();
    [[nodiscard]] Item end_value();
    [[nodiscard]] Item fail();
    void keep_rest();
    void release_kept();

    std::size_t limit_;
    State state_ = State::between;
    std::string_view bytes_;   // what was fed
    std::size_t at_ = 0;       // in bytes_: the next byte to look at
    std::size_t begin_ = 0;    // in bytes_: where the current value begins or goes on
    std::uint64_t size_ = 0;   // of the current value, up to begin_
    std::uint64_t depth_ = 0;  // of open brackets
    bool in_string_ = false;
    bool escaped_ = false;  // the next byte is the companion of a backslash
    std::string kept_;      // the current value's bytes from earlier feeds, as long as they may be wanted
    std::uint64_t skipped_ = 0;
};

}  // namespace shorewatch::json
