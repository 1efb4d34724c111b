// What is there on the bus, by name, as the completion of a shell offers it.
#pragma once

#include <string>
#include <vector>

#include "dbus/ctl/bus_client.h"

namespace shorewatch::ctl {

struct Candidate {
    std::string word;
    std::string about;  // a few words, one printable line
};

enum class Named { containers, engines, projects, pods, made_containers, tasks };

// Those that the daemon knows. Never starts a daemon, never asks anybody for a password, takes 2 s at most a
// call, and says nothing when it can't tell. Names with control characters, which no line can hold, are left
// out.
[[nodiscard]] std::vector<Candidate> names_on_bus(const BusChoice& bus, Named what) noexcept;

}  // namespace shorewatch::ctl
