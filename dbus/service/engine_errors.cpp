#include "dbus/service/engine_errors.h"

#include "dbus/service/errors.h"

namespace shorewatch::bus {

namespace {

const char* name_of(EngineError::Kind kind) {
    switch (kind) {
        case EngineError::Kind::unreachable:
            return errors::engine_unavailable;
        case EngineError::Kind::timeout:
            return errors::timeout;
        case EngineError::Kind::not_found:
            return errors::no_such_container;
        case EngineError::Kind::not_alive:
            return errors::not_alive;
        case EngineError::Kind::conflict:
            return errors::conflict;
        case EngineError::Kind::not_supported:
            return errors::not_supported;
        case EngineError::Kind::busy:
            return errors::limits_exceeded;
        case EngineError::Kind::invalid:
            return errors::invalid_args;
        case EngineError::Kind::no_process:
            return errors::no_such_process;
        case EngineError::Kind::no_image:
            return errors::no_such_image;
        case EngineError::Kind::invalid_spec:
            return errors::invalid_spec;
        case EngineError::Kind::no_file:
            return errors::file_not_found;
        case EngineError::Kind::file_exists:
            return errors::file_exists;
        case EngineError::Kind::program_not_found:
        case EngineError::Kind::program_not_executable:
        case EngineError::Kind::protocol:
        case EngineError::Kind::engine:
            break;
    }
    return errors::engine_error;
}

}  // namespace

sdbus::Error error_of(const EngineError& failure) {
    return error(name_of(failure.kind), failure.message);
}

}  // namespace shorewatch::bus
