#include "engines/grpc/library.h"

#include <grpc/grpc.h>

namespace shorewatch::grpc {

Library::Library() {
    grpc_init();
}

Library::~Library() {
    grpc_shutdown();
}

}  // namespace shorewatch::grpc
