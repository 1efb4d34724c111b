#include "engines/http/json.h"

#include <charconv>
#include <system_error>
#include <utility>

#include <rapidjson/error/en.h>
#include <rapidjson/reader.h>

#include "engines/support/text.h"

namespace shorewatch::json {

namespace {

// Passes the parser's events on to a document until they go beyond the bounds. A text of 64 MiB may hold as
// many brackets, and would grow to more than a gigabyte of values.
class BoundedHandler {
  public:
    using Ch = char;
    using Size = rapidjson::SizeType;

    BoundedHandler(rapidjson::Document& document, const Bounds& bounds)
        : document_(document), bounds_(bounds) {}

    // The names are RapidJSON's.
    bool Null() { return count() && document_.Null(); }
    bool Bool(bool value) { return count() && document_.Bool(value); }
    // All numbers come as they are written: see take_number().
    bool RawNumber(const Ch* text, Size length, bool /*copy*/) {
        return count() && take_number({text, length});
    }
    bool Int(int /*value*/) { return false; }
    bool Uint(unsigned /*value*/) { return false; }
    bool Int64(std::int64_t /*value*/) { return false; }
    bool Uint64(std::uint64_t /*value*/) { return false; }
    bool Double(double /*value*/) { return false; }
    bool String(const Ch* text, Size length, bool copy) {
        return count() && document_.String(text, length, copy);
    }
    bool Key(const Ch* text, Size length, bool copy) { return count() && document_.Key(text, length, copy); }
    bool StartObject() { return enter() && document_.StartObject(); }
    bool EndObject(Size members) { return leave() && document_.EndObject(members); }
    bool StartArray() { return enter() && document_.StartArray(); }
    bool EndArray(Size elements) { return leave() && document_.EndArray(elements); }

    [[nodiscard]] bool number_too_large() const noexcept { return number_too_large_; }

  private:
    // Whole numbers that fit are kept as such, all others as the nearest double: what is written again, as
    // definitions of tasks are, is the same number. RapidJSON 1.1 reads doubles in full precision by shifting
    // by more bits than there are, where they have many zeros.
    bool take_number(std::string_view text) {
        std::int64_t whole = 0;
        if (is_all(text, whole)) return document_.Int64(whole);
        std::uint64_t large = 0;
        if (is_all(text, large)) return document_.Uint64(large);
        double real = 0;
        if (is_all(text, real)) return document_.Double(real);
        // Of a good number, this can only be its size.
        number_too_large_ = text.find("e-") == text.npos && text.find("E-") == text.npos &&
                            !text.starts_with("0.") && !text.starts_with("-0.");
        return !number_too_large_ && document_.Double(0);
    }
    template <typename Number>
    static bool is_all(std::string_view text, Number& value) {
        const char* const end = text.data() + text.size();
        const auto [stopped, error] = std::from_chars(text.data(), end, value);
        return error == std::errc{} && stopped == end;
    }
    bool count() { return ++values_ <= bounds_.values; }
    bool enter() { return count() && ++depth_ <= bounds_.depth; }
    bool leave() {
        --depth_;
        return true;
    }

    rapidjson::Document& document_;
    const Bounds& bounds_;
    std::size_t depth_ = 0;
    std::size_t values_ = 0;
    bool number_too_large_ = false;
};

// Is it \uDXYZ, with X one of these?
bool is_surrogate(std::string_view escape, std::string_view third) {
    constexpr std::string_view digits = "0123456789abcdefABCDEF";
    return escape.size() == 6 && escape.starts_with("\\u") && (escape[2] == 'd' || escape[2] == 'D') &&
           third.find(escape[3]) != std::string_view::npos &&
           digits.find(escape[4]) != std::string_view::npos &&
           digits.find(escape[5]) != std::string_view::npos;
}

bool is_high_surrogate(std::string_view escape) {
    return is_surrogate(escape, "89abAB");
}

bool is_low_surrogate(std::string_view escape) {
    return is_surrogate(escape, "cdefCDEF");
}

// JSON's grammar allows \ud800 without its other half; RapidJSON refuses the whole text for it. One label
// must not blind us, so such an escape becomes U+FFFD before parsing.
void replace_lone_surrogates(std::string& text) {
    const std::string_view view = text;
    for (std::size_t at = text.find('\\'); at != std::string::npos; at = text.find('\\', at)) {
        const bool high = is_high_surrogate(view.substr(at, 6));
        if (high && at + 6 <= text.size() && is_low_surrogate(view.substr(at + 6, 6))) {
            at += 12;
        } else if (high || is_low_surrogate(view.substr(at, 6))) {
            text.replace(at, 6, "\\ufffd");
            at += 6;
        } else {
            at += 2;  // Any other escape is past its backslash's companion.
        }
    }
}

}  // namespace

Document::Document(std::string text, const Bounds& bounds) : text_(std::move(text)) {
    constexpr unsigned flags =
        rapidjson::kParseInsituFlag | rapidjson::kParseIterativeFlag | rapidjson::kParseNumbersAsStringsFlag;
    replace_lone_surrogates(text_);
    rapidjson::InsituStringStream stream(text_.data());
    rapidjson::Reader reader;
    bool number_too_large = false;
    const auto generate = [&](rapidjson::Document& document) {
        BoundedHandler handler(document, bounds);
        const bool done = !reader.Parse<flags>(stream, handler).IsError();
        number_too_large = handler.number_too_large();
        return done;
    };
    document_.Populate(generate);
    if (number_too_large) throw Malformed("the JSON has a number that is too large");
    if (reader.GetParseErrorCode() == rapidjson::kParseErrorTermination) {
        throw Malformed("the JSON is nested too deep or holds too many values");
    }
    if (reader.HasParseError()) {
        throw Malformed("the JSON is malformed at byte " + std::to_string(reader.GetErrorOffset()) + ": " +
                        rapidjson::GetParseError_En(reader.GetParseErrorCode()));
    }
    // The parser takes a NUL for the end.
    if (stream.Tell() != text_.size()) {
        throw Malformed("the JSON is malformed at byte " + std::to_string(stream.Tell()) + ": a NUL byte");
    }
}

const Value* find(const Value& from, Path path) {
    const Value* value = &from;
    for (const std::string_view name : path) {
        if (!value->IsObject()) return nullptr;
        const Value key(rapidjson::StringRef(name.data(), static_cast<rapidjson::SizeType>(name.size())));
        const auto member = value->FindMember(key);
        if (member == value->MemberEnd()) return nullptr;
        value = &member->value;
    }
    return value->IsNull() ? nullptr : value;
}

std::string text_at(const Value& from, Path path) {
    const Value* value = find(from, path);
    return value != nullptr && value->IsString() ? valid_utf8(raw_text(*value), longest_name) : std::string{};
}

std::optional<std::int64_t> integer_at(const Value& from, Path path) {
    const Value* value = find(from, path);
    if (value == nullptr || !value->IsInt64()) return std::nullopt;
    return value->GetInt64();
}

bool flag_at(const Value& from, Path path) {
    const Value* value = find(from, path);
    return value != nullptr && value->IsTrue();
}

}  // namespace shorewatch::json
