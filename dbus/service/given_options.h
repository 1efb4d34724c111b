// The options of a method, a{sv}: each is taken by its name and type, and what is left over is refused.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "dbus/compat/sdbus.h"

namespace shorewatch::bus {

class GivenOptions {
  public:
    explicit GivenOptions(std::map<std::string, sdbus::Variant> options) : options_(std::move(options)) {}

    // Nothing when it is not given. Throw InvalidArgs when it is of another type.
    [[nodiscard]] std::optional<bool> flag(const std::string& name);
    [[nodiscard]] std::optional<std::string> text(const std::string& name);
    [[nodiscard]] std::optional<std::map<std::string, std::string>> texts(const std::string& name);

    // Throws InvalidArgs when there is one that was not taken.
    void finish() const;

  private:
    template <typename Value>
    std::optional<Value> take(const std::string& name, const char* type);

    std::map<std::string, sdbus::Variant> options_;
};

}  // namespace shorewatch::bus
