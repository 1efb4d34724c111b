#include "engines/grpc/calls.h"

#include <utility>

namespace shorewatch::grpc {

void Calls::call(Connection& connection, Request request, Reply reply) {
    const std::uint64_t number = next_++;
    calls_.emplace(
        number, connection.call(std::move(request), [this, number, done = std::move(reply)](Answer answer) {
            const auto ended = calls_.extract(number);
            done(std::move(answer));
        }));
}

void Calls::stream(Connection& connection, Request request, StreamHandlers handlers) {
    const std::uint64_t number = next_++;
    handlers.on_end = [this, number, done = std::move(handlers.on_end)](Answer answer) {
        const auto ended = calls_.extract(number);
        done(std::move(answer));
    };
    calls_.emplace(number, connection.stream(std::move(request), std::move(handlers)));
}

}  // namespace shorewatch::grpc
