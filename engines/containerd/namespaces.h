// Which of containerd's namespaces are watched.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace shorewatch::containerd {

class Namespaces {
  public:
    // names: these and no others; empty: all, with those that will be, but moby, whose containers dockerd
    // knows by name, and, unless kubernetes is set, k8s.io, whose containers are the CRI's.
    // runtime: what happens to their processes is followed too.
    explicit Namespaces(std::vector<std::string> names, bool kubernetes = false, bool runtime = false);

    [[nodiscard]] bool watches(std::string_view name) const;
    // Those that were named; empty: whichever there are.
    [[nodiscard]] const std::vector<std::string>& named() const noexcept { return names_; }

    // What events.Subscribe is to be asked for: what happens to containers in these namespaces, and events
    // with this topic in any.
    [[nodiscard]] std::vector<std::string> filters(const std::string& topic) const;

  private:
    std::vector<std::string> names_;
    std::vector<std::string_view> left_out_;
    std::string_view followed_;
};

}  // namespace shorewatch::containerd
