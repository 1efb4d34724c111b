// Keeps gRPC's threads running while it lives. Without it they would be ended and started again with each
// connection.
#pragma once

namespace shorewatch::grpc {

class Library {
  public:
    Library();
    ~Library();
    Library(const Library&) = delete;
    Library& operator=(const Library&) = delete;
};

}  // namespace shorewatch::grpc
