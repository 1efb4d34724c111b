// JSON text from an engine: parsed in place and within bounds, fields picked without trusting their shape.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

#include <rapidjson/document.h>

namespace shorewatch::json {

using Value = rapidjson::Value;
using Path = std::initializer_list<std::string_view>;  // member names, outermost first

// The text is no JSON, or not the JSON that was expected. what() says where and why; it is printable.
class Malformed : public std::runtime_error {
  public:
    using std::runtime_error::runtime_error;
};

// What a text may unfold to. Real answers stay far below: an inspect has some 300 values, 8 levels deep.
struct Bounds {
    std::size_t depth = 128;
    std::size_t values = 4'000'000;  // names of members included; 16 bytes each
};

// One JSON value and the text it points into.
class Document {
  public:
    // Takes the text over and parses it in place, without recursion. Throws Malformed.
    explicit Document(std::string text, const Bounds& bounds = {});
    Document(const Document&) = delete;
    Document& operator=(const Document&) = delete;
    ~Document() = default;

    [[nodiscard]] const Value& root() const noexcept { return document_; }

  private:
    std::string text_;
    rapidjson::Document document_;
};

// The member that path leads to, or null where one is missing, JSON's null, or inside something that is no
// object.
[[nodiscard]] const Value* find(const Value& from, Path path);

// The member as valid UTF-8 without NUL, its beginning if it is longer than longest_name; "" when missing or
// no string.
[[nodiscard]] std::string text_at(const Value& from, Path path);

// The member as an integer; nothing when missing, no number, fractional or beyond 64 bits.
[[nodiscard]] std::optional<std::int64_t> integer_at(const Value& from, Path path);

// The member, true only if it is JSON's true.
[[nodiscard]] bool flag_at(const Value& from, Path path);

// A string value by its length, as the engine sent it: it may hold NULs and invalid UTF-8.
[[nodiscard]] inline std::string_view raw_text(const Value& string) {
    return {string.GetString(), string.GetStringLength()};
}

}  // namespace shorewatch::json
