// What has to be true of all that is decoded, whoever has sent it. Where it isn't, the fuzzer ends, and keeps
// the input.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "engines/container.h"
#include "engines/engine_client.h"
#include "engines/engine_deployment.h"
#include "engines/result.h"

namespace shorewatch::fuzz {

inline std::string_view text_of(const std::uint8_t* data, std::size_t size) {
    return {reinterpret_cast<const char*>(data), size};
}

// Ends the process, with these words, unless it holds.
void expect(bool holds, const char* what);

// Well-formed UTF-8 without NUL, as the Unicode Standard has it (table 3-7): told by other means than those
// of engines/support/text.h.
[[nodiscard]] bool is_clean(std::string_view text);

// Can be put on D-Bus.
void expect_clean(std::string_view text, const char* what);
// The same of what is no longer than names are.
void expect_name(std::string_view text, const char* what);
// One line that does no harm to a terminal, and says something.
void expect_line(std::string_view text, const char* what);

void expect_labels(const Labels& labels);
void expect_container(const ContainerPtr& container);
void expect_event(const ContainerEvent& event);
void expect_inspection(const Inspection& inspection);
void expect_deployed(const DeployedContainer& container);
void expect_error(const EngineError& error);

}  // namespace shorewatch::fuzz
