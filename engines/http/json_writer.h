// JSON text that is written piece by piece: whatever goes in, what comes out is JSON and valid UTF-8.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include "engines/support/wiping.h"

namespace shorewatch::json {

// The calls follow the text: values within an array, a key before each value within an object.
class Writer {
  public:
    Writer() : writer_(buffer_) {}
    Writer(const Writer&) = delete;
    Writer& operator=(const Writer&) = delete;
    ~Writer() = default;

    void begin_object() { writer_.StartObject(); }
    void end_object() { writer_.EndObject(); }
    void begin_array() { writer_.StartArray(); }
    void end_array() { writer_.EndArray(); }
    void key(std::string_view name) { text(name); }

    void null() { writer_.Null(); }
    void flag(bool value) { writer_.Bool(value); }
    void number(std::int64_t value) { writer_.Int64(value); }
    // Made valid, as valid_utf8() does it.
    void text(std::string_view value);
    // A value that is JSON already; null if it is none.
    void json(std::string_view value);
    // An object that this project has written itself: taken as it is.
    void own_object(std::string_view value) {
        writer_.RawValue(value.data(), value.size(), rapidjson::kObjectType);
    }

    // A key and its value.
    void member(std::string_view name, std::string_view value) {
        key(name);
        text(value);
    }
    void member(std::string_view name, std::int64_t value) {
        key(name);
        number(value);
    }
    // A key and an array of texts.
    void texts(std::string_view name, const std::vector<std::string>& values);

    // What was written: a whole value.
    [[nodiscard]] std::string_view written() const { return {buffer_.GetString(), buffer_.GetSize()}; }

  private:
    // Credentials are written too.
    using Buffer = rapidjson::GenericStringBuffer<rapidjson::UTF8<>, WipingAllocator>;

    Buffer buffer_;
    rapidjson::Writer<Buffer> writer_;
};

}  // namespace shorewatch::json
