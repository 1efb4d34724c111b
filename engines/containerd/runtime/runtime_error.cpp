#include "engines/containerd/runtime/runtime_error.h"

#include <array>
#include <optional>
#include <string_view>

#include "engines/error_words.h"

namespace shorewatch::containerd {

namespace {

using Kind = EngineError::Kind;

// Of containerd's shims 1.6 to 2 and of runc. The first that is found counts.
constexpr std::array<ErrorWords, 24> known_words{{{"cannot exec in a paused", Kind::conflict},
                                                  {"cannot exec in a", Kind::not_alive},
                                                  {"cannot pause a paused container", Kind::conflict},
                                                  {"cannot resume a running", Kind::conflict},
                                                  {"cannot delete a running", Kind::conflict},
                                                  {"cannot delete a paused", Kind::conflict},
                                                  {"cannot start a", Kind::conflict},
                                                  {"already exists", Kind::conflict},
                                                  {"process already finished", Kind::no_process},
                                                  {"process does not exist", Kind::no_process},
                                                  {"no such process", Kind::no_process},
                                                  {"no such exec", Kind::no_process},
                                                  {"no running task", Kind::not_alive},
                                                  {"a stopped container", Kind::not_alive},
                                                  {"a stopped process", Kind::not_alive},
                                                  {"a deleted process", Kind::not_alive},
                                                  {"in created state", Kind::not_alive},
                                                  {"container not running", Kind::not_alive},
                                                  {"no such container", Kind::not_alive},
                                                  {"container does not exist", Kind::not_alive},
                                                  {"ttrpc: closed", Kind::not_alive},
                                                  {"cannot unmarshal", Kind::invalid_spec},
                                                  {"args must not be empty", Kind::invalid_spec},
                                                  {"invalid character", Kind::invalid_spec}}};

// What runc says of a program that it did not get to run, after the program's name.
constexpr std::array<ErrorWords, 5> program_words{{{"executable file not found", Kind::program_not_found},
                                                   {"no such file or directory", Kind::program_not_found},
                                                   {"permission denied", Kind::program_not_executable},
                                                   {"is a directory", Kind::program_not_executable},
                                                   {"exec format error", Kind::program_not_executable}}};

}  // namespace

EngineError runtime_error(const grpc::Answer& answer) {
    EngineError error = answer.error;
    const std::string_view text = error.message;
    // 'unable to start container process: exec: "nope": executable file not found in $PATH'
    const std::size_t program = text.find("exec: \"");
    std::optional<Kind> told;
    if (program != std::string_view::npos) told = kind_in(text.substr(program), program_words);
    if (!told) told = kind_in(text, known_words);
    if (told) {
        error.kind = *told;
    } else if (answer.code == grpc::Code::already_exists || answer.code == grpc::Code::failed_precondition) {
        error.kind = Kind::conflict;
    } else if (answer.code == grpc::Code::invalid_argument) {
        error.kind = Kind::invalid_spec;
    }
    return error;
}

EngineError checkpoint_error(const grpc::Answer& answer) {
    EngineError error = runtime_error(answer);
    const bool of_program =
        error.kind == Kind::program_not_found || error.kind == Kind::program_not_executable;
    if (error.kind == Kind::engine || of_program) error.kind = Kind::not_supported;
    return error;
}

}  // namespace shorewatch::containerd
