#include "engines/containerd/runtime/creation.h"

#include <optional>
#include <random>
#include <utility>

#include "engines/containerd/runtime/runtime_error.h"
#include "engines/containerd/runtime/sha256.h"
#include "engines/error_text.h"
#include "engines/support/log.h"
#include "engines/support/text.h"

namespace shorewatch::containerd {

namespace {

using Kind = EngineError::Kind;

// Longer than any image takes to unpack.
constexpr auto lease_time = std::chrono::hours(1);

std::string random_name() {
    constexpr std::string_view digits = "0123456789abcdef";
    std::random_device random;
    std::string name = "shorewatch-";
    for (int i = 0; i < 32; ++i)
        name += digits[random() % digits.size()];
    return name;
}

}  // namespace

ContainerdClient::Creation::Creation(Session& session, NewContainer container, std::string spec,
                                     EngineRuntime::Reply<ContainerRecord> reply)
    : session_(session),
      container_(std::move(container)),
      spec_(std::move(spec)),
      purpose_(doing("create", container_.place.id)),
      reply_(std::move(reply)) {}

void ContainerdClient::Creation::start() {
    if (container_.image.empty()) return write_record();
    const std::string name = random_name();
    ask("leases.v1.Leases/Create", create_lease_request(name, real_time_now() + lease_time),
        [this, name](const grpc::Answer& answer) {
            if (!answer) return fail(runtime_error(answer));
            lease_ = name;
            take_lease();
        });
}

void ContainerdClient::Creation::take_lease() {
    std::make_shared<ImageReading>(
        session_, container_.place.name_space, container_.image, lease_,
        [self = shared_from_this()](Result<ImageParts> parts) { self->take_parts(std::move(parts)); })
        ->start();
}

void ContainerdClient::Creation::take_parts(Result<ImageParts> parts) {
    if (!parts) return fail(parts.error());
    parts_ = std::move(parts.value());
    for (const std::string& id : parts_.diff_ids)
        chain_.push_back(chain_.empty() ? id : sha256_digest(chain_.back() + " " + id));
    if (chain_.empty()) return prepare_own();
    // The uppermost one has all of them.
    ask("snapshots.v1.Snapshots/Stat", snapshot_request(container_.snapshotter, chain_.back()),
        [this](const grpc::Answer& answer) { answer ? keep_layers() : look_for_layer(); });
}

void ContainerdClient::Creation::look_for_layer() {
    ask("snapshots.v1.Snapshots/Stat", snapshot_request(container_.snapshotter, chain()),
        [this](const grpc::Answer& answer) {
            if (answer) return layer_done();
            if (answer.error.kind != Kind::not_found) return fail(runtime_error(answer));
            prepare_layer();
        });
}

void ContainerdClient::Creation::prepare_layer() {
    const std::string parent = layer_ > 0 ? chain_.at(layer_ - 1) : std::string();
    ask("snapshots.v1.Snapshots/Prepare",
        prepare_snapshot_request(container_.snapshotter, extract_key(), parent),
        [this](const grpc::Answer& answer) {
            if (!answer) return fail(runtime_error(answer));
            const auto mounts = decode_mounts(answer.message);
            if (!mounts) {
                return fail(make_error(Kind::protocol, purpose_, session_.endpoint(),
                                       "the snapshotter's answer makes no sense"));
            }
            apply_layer(*mounts);
        });
}

void ContainerdClient::Creation::apply_layer(const Mounts& mounts) {
    ask_slowly("diff.v1.Diff/Apply", apply_request(parts_.layers.at(layer_), mounts),
               [this](const grpc::Answer& answer) { take_applied(answer); });
}

void ContainerdClient::Creation::take_applied(const grpc::Answer& answer) {
    std::optional<EngineError> error;
    if (!answer) {
        error = runtime_error(answer);
    } else if (decode_applied_digest(answer.message) != parts_.diff_ids.at(layer_)) {
        // The snapshot would be found by that name from now on, whatever image says it.
        error = make_error(Kind::protocol, purpose_, session_.endpoint(),
                           "layer " + printable(parts_.layers.at(layer_).digest) +
                               " of the image is not what the image's configuration says of it");
    }
    if (!error) return commit_layer();
    remove_snapshot(extract_key(), [this, error = std::move(*error)] { fail(error); });
}

void ContainerdClient::Creation::commit_layer() {
    ask("snapshots.v1.Snapshots/Commit",
        commit_snapshot_request(container_.snapshotter, chain(), extract_key()),
        [this](const grpc::Answer& answer) {
            if (answer) return layer_done();
            const EngineError error = runtime_error(answer);
            // Somebody else was faster to unpack the same.
            const bool there = error.kind == Kind::conflict;
            remove_snapshot(extract_key(), [this, there, error] { there ? layer_done() : fail(error); });
        });
}

void ContainerdClient::Creation::layer_done() {
    if (++layer_ < chain_.size()) return look_for_layer();
    keep_layers();
}

// As containerd's own clients do it: what is unpacked stays as long as the image, and serves the next
// container.
void ContainerdClient::Creation::keep_layers() {
    ask("content.v1.Content/Update",
        label_content_request(parts_.config_digest, "containerd.io/gc.ref.snapshot." + container_.snapshotter,
                              chain_.back()),
        [this](const grpc::Answer& answer) {
            if (!answer) log::debug("unpacked layers are not kept: " + answer.error.message);
            prepare_own();
        });
}

void ContainerdClient::Creation::prepare_own() {
    ask("snapshots.v1.Snapshots/Prepare",
        prepare_snapshot_request(container_.snapshotter, container_.place.id,
                                 chain_.empty() ? std::string() : chain_.back()),
        [this](const grpc::Answer& answer) {
            if (!answer) return fail(runtime_error(answer));
            own_prepared_ = true;
            write_record();
        });
}

void ContainerdClient::Creation::write_record() {
    ask("containers.v1.Containers/Create",
        create_container_request(container_, spec_, own_prepared_ ? container_.place.id : std::string()),
        [this](const grpc::Answer& answer) { take_record(answer); });
}

void ContainerdClient::Creation::take_record(const grpc::Answer& answer) {
    if (!answer) return fail(runtime_error(answer));
    const auto made = decode_raw_container(answer.message);
    finish(made ? made->record : ContainerRecord{container_.image, container_.labels, real_time_now()});
}

void ContainerdClient::Creation::fail(const EngineError& error) {
    if (!std::exchange(own_prepared_, false)) return finish(error);
    remove_snapshot(container_.place.id, [this, error] { finish(error); });
}

void ContainerdClient::Creation::finish(Result<ContainerRecord> result) {
    if (lease_.empty()) return std::exchange(reply_, nullptr)(std::move(result));
    ask("leases.v1.Leases/Delete", delete_lease_request(std::exchange(lease_, {})),
        [this, result = std::move(result)](const grpc::Answer& answer) {
            if (!answer) log::debug("a lease is left to expire: " + answer.error.message);
            std::exchange(reply_, nullptr)(result);
        });
}

void ContainerdClient::Creation::remove_snapshot(const std::string& key, std::function<void()> then) {
    ask("snapshots.v1.Snapshots/Remove", snapshot_request(container_.snapshotter, key),
        [then = std::move(then)](const grpc::Answer& answer) {
            if (!answer) log::debug("a snapshot is left to containerd's collector: " + answer.error.message);
            then();
        });
}

std::string ContainerdClient::Creation::extract_key() const {
    return "extract-" + lease_ + " " + chain();
}

void ContainerdClient::Creation::ask(const char* method, std::string message, Next next) {
    auto request = request_to("/containerd.services." + std::string(method), purpose_, std::move(message),
                              container_.place.name_space, session_.options().control_deadline);
    if (!lease_.empty()) request.metadata.emplace_back("containerd-lease", lease_);
    session_.call(std::move(request), [self = shared_from_this(),
                                       next = std::move(next)](const grpc::Answer& answer) { next(answer); });
}

void ContainerdClient::Creation::ask_slowly(const char* method, std::string message, Next next) {
    auto request = request_to("/containerd.services." + std::string(method), purpose_, std::move(message),
                              container_.place.name_space, session_.options().unpack_deadline);
    request.metadata.emplace_back("containerd-lease", lease_);
    session_.call(std::move(request), [self = shared_from_this(),
                                       next = std::move(next)](const grpc::Answer& answer) { next(answer); });
}

}  // namespace shorewatch::containerd
