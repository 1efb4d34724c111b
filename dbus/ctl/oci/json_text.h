// JSON for the runtime, written value by value.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

namespace shorewatch::ctl {

// The calls follow the text: values within an array, members within an object. Text is valid UTF-8.
class JsonText {
  public:
    JsonText() : writer_(buffer_) {}
    JsonText(const JsonText&) = delete;
    JsonText& operator=(const JsonText&) = delete;
    ~JsonText() = default;

    // A value, whose content is written by content().
    template <typename Content>
    void object(const Content& content) {
        writer_.StartObject();
        content();
        writer_.EndObject();
    }
    template <typename Content>
    void array(const Content& content) {
        writer_.StartArray();
        content();
        writer_.EndArray();
    }
    void value(std::string_view text) { writer_.String(text.data(), size_of(text)); }
    void value(const std::string& text) { value(std::string_view(text)); }
    void value(const char* text) { value(std::string_view(text)); }
    void value(bool flag) { writer_.Bool(flag); }
    void value(std::int64_t number) { writer_.Int64(number); }
    void value(std::uint64_t number) { writer_.Uint64(number); }
    void value(std::int32_t number) { writer_.Int(number); }
    void value(std::uint32_t number) { writer_.Uint(number); }
    template <typename T>
    void value(const std::vector<T>& values) {
        array([&] {
            for (const T& each : values)
                value(each);
        });
    }

    // Members of an object.
    void key(std::string_view name) { writer_.Key(name.data(), size_of(name)); }
    template <typename T>
    void member(std::string_view name, const T& content) {
        key(name);
        value(content);
    }
    // Left out when there is nothing.
    template <typename T>
    void member(std::string_view name, const std::optional<T>& content) {
        if (content) member(name, *content);
    }
    template <typename Content>
    void object_member(std::string_view name, const Content& content) {
        key(name);
        object(content);
    }
    template <typename Content>
    void array_member(std::string_view name, const Content& content) {
        key(name);
        array(content);
    }

    // What was written: a whole value.
    [[nodiscard]] std::string text() const { return {buffer_.GetString(), buffer_.GetSize()}; }

  private:
    static rapidjson::SizeType size_of(std::string_view text) {
        return static_cast<rapidjson::SizeType>(text.size());
    }

    rapidjson::StringBuffer buffer_;
    rapidjson::Writer<rapidjson::StringBuffer> writer_;
};

}  // namespace shorewatch::ctl
