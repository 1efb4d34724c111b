// What went wrong with a container or a process, told from containerd's words: it has one code for most of
// it.
#pragma once

#include "engines/grpc/connection.h"
#include "engines/result.h"

namespace shorewatch::containerd {

// Of a failed answer.
[[nodiscard]] EngineError runtime_error(const grpc::Answer& answer);

// The same of a checkpoint: what fails is CRIU, if it is there at all.
[[nodiscard]] EngineError checkpoint_error(const grpc::Answer& answer);

}  // namespace shorewatch::containerd
