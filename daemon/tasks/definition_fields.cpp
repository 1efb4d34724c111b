#include "daemon/tasks/definition_fields.h"

#include <algorithm>
#include <utility>

#include "engines/support/text.h"

namespace shorewatch {

namespace {

std::string quoted(std::string_view text) {
    constexpr std::size_t most = 100;
    return "'" + printable(valid_utf8(text.substr(0, most))) + (text.size() > most ? "…'" : "'");
}

const char* kind_of(const json::Value& value) {
    switch (value.GetType()) {
        case rapidjson::kNullType:
            return "null";
        case rapidjson::kFalseType:
        case rapidjson::kTrueType:
            return "a boolean";
        case rapidjson::kObjectType:
            return "an object";
        case rapidjson::kArrayType:
            return "an array";
        case rapidjson::kStringType:
            return "a string";
        case rapidjson::kNumberType:
            return "a number";
    }
    return "something else";
}

bool says_nothing(const json::Value& value) {
    switch (value.GetType()) {
        case rapidjson::kNullType:
        case rapidjson::kFalseType:
            return true;
        case rapidjson::kTrueType:
            return false;
        case rapidjson::kObjectType:
            return value.MemberCount() == 0;
        case rapidjson::kArrayType:
            return value.Empty();
        case rapidjson::kStringType:
            return value.GetStringLength() == 0;
        case rapidjson::kNumberType:
            return value.IsInt64() && value.GetInt64() == 0;
    }
    return false;
}

[[noreturn]] void fail_type(const PlacedValue& value, const std::string& expected) {
    value.fail(std::string("is ") + kind_of(value.value()) + "; expected " + expected);
}

bool is_name_character(char character) {
    return (character >= 'a' && character <= 'z') || (character >= 'A' && character <= 'Z') ||
           (character >= '0' && character <= '9') || character == '-' || character == '_';
}

char to_lower(char character) {
    return character >= 'A' && character <= 'Z' ? static_cast<char>(character - 'A' + 'a') : character;
}

bool has_parent_part(std::string_view path) {
    return path == "/.." || path.starts_with("/../") || path.find("/../") != std::string_view::npos ||
           path.ends_with("/..");
}

}  // namespace

InvalidDefinition::InvalidDefinition(const std::string& path, const std::string& reason)
    : std::runtime_error(printable(reason)), path_(printable(path)) {}

std::string PlacedValue::text_or_empty(std::size_t most) const {
    if (!value_->IsString()) fail_type(*this, "a string");
    std::string text(json::raw_text(*value_));
    if (text.size() > most) {
        fail("is " + std::to_string(text.size()) + " bytes long; expected at most " + std::to_string(most));
    }
    if (valid_utf8(text) != text) fail("holds characters that are none; expected UTF-8 without NUL");
    return text;
}

std::string PlacedValue::text(std::size_t most) const {
    std::string text = text_or_empty(most);
    if (text.empty()) fail("is empty; expected a text");
    return text;
}

std::string PlacedValue::name() const {
    constexpr std::size_t longest = 255;
    std::string text = text_or_empty();
    if (text.empty() || text.size() > longest || !std::ranges::all_of(text, is_name_character)) {
        fail("is " + quoted(text) + "; expected 1 to 255 letters, digits, '-' and '_'");
    }
    return text;
}

std::string PlacedValue::absolute_path() const {
    std::string path = text(4095);
    if (!path.starts_with('/')) fail("is " + quoted(path) + "; expected an absolute path");
    if (has_parent_part(path)) fail("is " + quoted(path) + "; expected a path without '..'");
    return path;
}

bool PlacedValue::flag() const {
    if (!value_->IsBool()) fail_type(*this, "true or false");
    return value_->GetBool();
}

std::int64_t PlacedValue::integer(std::int64_t least, std::int64_t most) const {
    const std::string expected = "an integer, " + std::to_string(least) + " to " + std::to_string(most);
    if (!value_->IsNumber()) fail_type(*this, expected);
    if (!value_->IsInt64()) fail("is no integer within reach; expected " + expected);
    const std::int64_t number = value_->GetInt64();
    if (number < least || number > most) fail("is " + std::to_string(number) + "; expected " + expected);
    return number;
}

std::vector<std::string> PlacedValue::texts() const {
    constexpr std::size_t most = 4096;
    std::vector<std::string> texts;
    for (const PlacedValue& element : elements(most))
        texts.push_back(element.text_or_empty());
    return texts;
}

std::vector<PlacedValue> PlacedValue::elements(std::size_t most) const {
    if (!value_->IsArray()) fail_type(*this, "an array");
    if (value_->Size() > most) {
        fail("has " + std::to_string(value_->Size()) + " elements; expected at most " + std::to_string(most));
    }
    std::vector<PlacedValue> elements;
    elements.reserve(value_->Size());
    for (rapidjson::SizeType index = 0; index < value_->Size(); ++index)
        elements.emplace_back((*value_)[index], path_ + "[" + std::to_string(index) + "]");
    return elements;
}

ObjectReader::ObjectReader(const PlacedValue& object, std::string what)
    : object_(object), what_(std::move(what)) {
    if (!object.value().IsObject()) fail_type(object, "an object: " + what_);
    std::set<std::string_view> seen;
    for (const auto& member : object.value().GetObject()) {
        const std::string_view name = json::raw_text(member.name);
        if (!seen.insert(name).second) throw InvalidDefinition(path_of(name), "is there twice");
    }
}

std::string ObjectReader::path_of(std::string_view name) const {
    constexpr std::size_t longest = 100;
    const bool plain =
        !name.empty() && name.size() <= longest && std::ranges::all_of(name, is_name_character);
    return object_.path() + (plain ? "." + std::string(name) : "[" + quoted(name) + "]");
}

std::optional<PlacedValue> ObjectReader::find(std::string_view name) {
    known_.emplace(name);
    const json::Value* value = json::find(object_.value(), {name});
    if (value == nullptr) return std::nullopt;
    return PlacedValue(*value, path_of(name));
}

PlacedValue ObjectReader::get(std::string_view name) {
    const auto found = find(name);
    if (!found) throw InvalidDefinition(path_of(name), "is missing; " + what_ + " has to have it");
    return *found;
}

void ObjectReader::allow(std::initializer_list<std::string_view> names) {
    known_.insert(names.begin(), names.end());
}

void ObjectReader::refuse(std::initializer_list<std::string_view> names) {
    known_.insert(names.begin(), names.end());
    for (const std::string_view name : names) {
        const json::Value* value = json::find(object_.value(), {name});
        if (value != nullptr && !says_nothing(*value)) {
            throw InvalidDefinition(path_of(name), "is not supported here; leave it out");
        }
    }
}

void ObjectReader::finish() const {
    for (const auto& member : object_.value().GetObject()) {
        const std::string_view name = json::raw_text(member.name);
        if (known_.contains(name)) continue;
        const auto same = [name](const std::string& known) {
            return std::ranges::equal(known, name, {}, to_lower, to_lower);
        };
        const auto meant = std::ranges::find_if(known_, same);
        const std::string hint = meant == known_.end() ? "" : "; expected '" + *meant + "'";
        throw InvalidDefinition(path_of(name), "is no field of " + what_ + hint);
    }
}

}  // namespace shorewatch
