// The creation of one container: its image unpacked, its snapshot prepared, its record written, and all of
// that undone when a step fails.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "engines/containerd/containerd_session.h"
#include "engines/containerd/runtime/image_reading.h"
#include "engines/containerd/runtime/runtime_messages.h"
#include "engines/engine_runtime.h"
#include "engines/grpc/connection.h"

namespace shorewatch::containerd {

// A lease keeps what is being made from containerd's collector until the container's record refers to it; one
// that was left behind by a loss expires. Held by the calls under way, which end with the session.
class ContainerdClient::Creation : public std::enable_shared_from_this<ContainerdClient::Creation> {
  public:
    // spec: as it is to be written.
    Creation(Session& session, NewContainer container, std::string spec,
             EngineRuntime::Reply<ContainerRecord> reply);

    void start();

  private:
    using Next = std::function<void(const grpc::Answer&)>;

    void take_lease();
    void take_parts(Result<ImageParts> parts);
    // The layers are unpacked one on the other, each becoming a snapshot that is named by all below it.
    void look_for_layer();
    void prepare_layer();
    void apply_layer(const Mounts& mounts);
    void take_applied(const grpc::Answer& answer);
    void commit_layer();
    void layer_done();
    void keep_layers();
    void prepare_own();
    void write_record();
    void take_record(const grpc::Answer& answer);

    // Gives the lease back, and answers.
    void finish(Result<ContainerRecord> result);
    void fail(const EngineError& error);
    void remove_snapshot(const std::string& key, std::function<void()> then);

    [[nodiscard]] const std::string& chain() const { return chain_.at(layer_); }
    [[nodiscard]] std::string extract_key() const;
    void ask(const char* method, std::string message, Next next);
    void ask_slowly(const char* method, std::string message, Next next);

    Session& session_;
    const NewContainer container_;
    const std::string spec_;
    const std::string purpose_;
    EngineRuntime::Reply<ContainerRecord> reply_;
    std::string lease_;  // empty: none
    ImageParts parts_;
    std::vector<std::string> chain_;  // the names of the layers' snapshots, from the lowest
    std::size_t layer_ = 0;           // being unpacked
    bool own_prepared_ = false;
};

}  // namespace shorewatch::containerd
