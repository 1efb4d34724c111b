// What a request to an engine comes to: a value, or an error that can be shown to a person.
#pragma once

#include <string>
#include <utility>
#include <variant>

namespace shorewatch {

struct EngineError {
    enum class Kind {
        unreachable,  // no connection: no socket, refused, no permission, name not found, TLS refused
        timeout,      // a connection, but no answer in time
        not_found,    // the engine has no such container
        protocol,     // the answer makes no sense: not HTTP, truncated, malformed JSON, too large
        engine,       // the engine says no, in its own words
        // Of what is done to containers only:
        not_alive,      // it has no initial process
        conflict,       // it is in a state in which that can't be done, or is done already
        not_supported,  // this engine has no call for that
        busy,           // too much is under way at this engine
        invalid,        // no engine would be asked for that: a signal that is none
        // Of what makes and runs them (engines/engine_runtime.h):
        no_process,              // the container has no such process, or it has ended
        no_image,                // no such image, or nothing in it for this machine
        invalid_spec,            // a specification that is none
        program_not_found,       // a process was not started: there is no such program
        program_not_executable,  // … or it may not be executed
        no_file,                 // a file or folder on this host that was named is not there
        file_exists,             // … or is there and should not be
    };

    Kind kind = Kind::protocol;
    // A sentence for LastError and the journal: what was being done, to which endpoint, what came back, and
    // what the user can do where that is known. Printable text.
    std::string message;

    // The same, of a question for no container in particular: what is not found then is the question itself.
    [[nodiscard]] EngineError of_no_container() const {
        return {kind == Kind::not_found ? Kind::engine : kind, message};
    }
};

template <typename T>
class Result {
  public:
    Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}            // NOLINT(*-explicit-*)
    Result(EngineError error) : state_(std::in_place_index<1>, std::move(error)) {}  // NOLINT(*-explicit-*)

    explicit operator bool() const noexcept { return state_.index() == 0; }
    // Throw std::bad_variant_access when it is the other one.
    [[nodiscard]] const T& value() const { return std::get<0>(state_); }
    [[nodiscard]] T& value() { return std::get<0>(state_); }
    [[nodiscard]] const EngineError& error() const { return std::get<1>(state_); }

  private:
    std::variant<T, EngineError> state_;
};

}  // namespace shorewatch
