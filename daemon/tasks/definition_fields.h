// Strict reading of JSON that a person has written: each value knows its place, and what is not as it should
// be is an error that names it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engines/http/json.h"

namespace shorewatch {

// A definition that can't be followed. what() is one printable line without the path.
class InvalidDefinition : public std::runtime_error {
  public:
    InvalidDefinition(const std::string& path, const std::string& reason);

    // "$.containerDefinitions[0].image"
    [[nodiscard]] const std::string& path() const noexcept { return path_; }

  private:
    std::string path_;
};

// A value, and where it is. Points into a json::Document that outlives it. Everything throws
// InvalidDefinition.
class PlacedValue {
  public:
    PlacedValue(const json::Value& value, std::string path) : value_(&value), path_(std::move(path)) {}

    [[nodiscard]] const std::string& path() const noexcept { return path_; }
    [[nodiscard]] const json::Value& value() const noexcept { return *value_; }

    // Valid UTF-8 without NUL, of 1 (or 0, where it may be empty) to most bytes.
    [[nodiscard]] std::string text(std::size_t most = longest_text) const;
    [[nodiscard]] std::string text_or_empty(std::size_t most = longest_text) const;
    // Letters, digits, '-' and '_', 1 to 255 of them: as ECS has it for families, containers and volumes.
    [[nodiscard]] std::string name() const;
    // Starts with '/', and has no part "..".
    [[nodiscard]] std::string absolute_path() const;
    [[nodiscard]] bool flag() const;
    [[nodiscard]] std::int64_t integer(std::int64_t least, std::int64_t most) const;
    [[nodiscard]] std::vector<std::string> texts() const;
    // The elements of an array.
    [[nodiscard]] std::vector<PlacedValue> elements(std::size_t most) const;

    [[noreturn]] void fail(const std::string& reason) const { throw InvalidDefinition(path_, reason); }

    static constexpr std::size_t longest_text = std::size_t{64} * 1024;

  private:
    const json::Value* value_;
    std::string path_;
};

// Picks the members of an object by name; those that nobody asked for are an error.
class ObjectReader {
  public:
    // Fails where a member is there twice. what: "a container", for errors.
    ObjectReader(const PlacedValue& object, std::string what);

    // Nothing: it is not there, or JSON's null.
    [[nodiscard]] std::optional<PlacedValue> find(std::string_view name);
    // Fails where it isn't there.
    [[nodiscard]] PlacedValue get(std::string_view name);
    // These say nothing that matters here, whatever they say.
    void allow(std::initializer_list<std::string_view> names);
    // These are known, and not followed: they may only say what is so without them (null, false, 0, "", [],
    // {}).
    void refuse(std::initializer_list<std::string_view> names);
    // Fails at the first member that was not named so far.
    void finish() const;

    [[nodiscard]] std::string path_of(std::string_view name) const;

  private:
    PlacedValue object_;
    std::string what_;
    std::set<std::string, std::less<>> known_;
};

}  // namespace shorewatch
