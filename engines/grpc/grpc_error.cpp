#include "engines/grpc/grpc_error.h"

#include <array>
#include <string>

#include "engines/error_text.h"
#include "engines/grpc/connection.h"

namespace shorewatch::grpc {

namespace {

using Kind = EngineError::Kind;

// Of an engine's own words in an error message.
constexpr std::size_t longest_quote = 500;

constexpr int cancelled = 1;
constexpr int resource_exhausted = 8;
constexpr int internal = 13;

std::string name_of(int code) {
    static constexpr std::array<std::string_view, 17> names{
        "OK",        "CANCELLED",      "UNKNOWN",           "INVALID_ARGUMENT",   "DEADLINE_EXCEEDED",
        "NOT_FOUND", "ALREADY_EXISTS", "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION",
        "ABORTED",   "OUT_OF_RANGE",   "UNIMPLEMENTED",     "INTERNAL",           "UNAVAILABLE",
        "DATA_LOSS", "UNAUTHENTICATED"};
    if (code < 0 || static_cast<std::size_t>(code) >= names.size()) return "status " + std::to_string(code);
    return std::string(names.at(static_cast<std::size_t>(code)));
}

bool contains(std::string_view text, std::string_view part) {
    return text.find(part) != std::string_view::npos;
}

}  // namespace

EngineError status_error(std::string_view purpose, const Endpoint& endpoint, const Failure& failure) {
    const std::string words = excerpt(failure.text, longest_quote);
    const std::string said = name_of(failure.code) + (words.empty() ? "" : ": " + words);
    const auto error = [&](Kind kind, const std::string& cause) {
        return make_error(kind, purpose, endpoint, cause);
    };
    switch (static_cast<Code>(failure.code)) {
        case Code::not_found:
            return error(Kind::not_found, said);
        case Code::deadline_exceeded:
            // gRPC's own words for a deadline of ours; engines have deadlines too.
            if (failure.text != "Deadline Exceeded") return error(Kind::timeout, said);
            return error(Kind::timeout,
                         "no answer within " + in_seconds(failure.deadline) + "; does the engine hang?");
        case Code::unavailable:
            return error(Kind::unreachable, "the connection broke: " + words);
        case Code::unimplemented:
            return error(Kind::engine, said + "; is this the type of engine that was configured?");
        default:
            break;
    }
    const bool too_large = failure.code == resource_exhausted && contains(failure.text, "larger than max");
    if (too_large || failure.code == internal) return error(Kind::protocol, said);
    if (failure.code == cancelled) return error(Kind::unreachable, said);
    return error(Kind::engine, said);
}

}  // namespace shorewatch::grpc
