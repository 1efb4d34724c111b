// Which containers are alive, in one number: what tells two sets of thousands apart without comparing them.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

namespace shorewatch::scale {

class Digest {
  public:
    // Of a container that was not in it, and of one that was.
    void add(const std::string& engine, const std::string& id) { value_ += of(engine, id); }
    void remove(const std::string& engine, const std::string& id) { value_ -= of(engine, id); }
    [[nodiscard]] std::uint64_t value() const noexcept { return value_; }

  private:
    static std::uint64_t of(const std::string& engine, const std::string& id) {
        return std::hash<std::string>()(engine + ' ' + id);
    }

    std::uint64_t value_ = 0;
};

}  // namespace shorewatch::scale
