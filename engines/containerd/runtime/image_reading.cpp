#include "engines/containerd/runtime/image_reading.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include <sys/utsname.h>

#include "engines/error_text.h"

namespace shorewatch::containerd {

namespace {

using Kind = EngineError::Kind;

// Manifests and configurations of images: registries refuse larger ones.
constexpr std::size_t largest = std::size_t{8} * 1024 * 1024;
constexpr std::size_t most_layers = 1000;
// An index of indexes is no image any more.
constexpr unsigned most_indexes = 3;

struct Machine {
    std::string_view kernel;
    std::string_view image;
};
constexpr std::array<Machine, 9> machines{{{"x86_64", "amd64"},
                                           {"aarch64", "arm64"},
                                           {"armv7l", "arm"},
                                           {"armv6l", "arm"},
                                           {"i686", "386"},
                                           {"ppc64le", "ppc64le"},
                                           {"riscv64", "riscv64"},
                                           {"s390x", "s390x"},
                                           {"loongarch64", "loong64"}}};

// What images call the kind of machine that this is.
std::string this_architecture() {
    utsname name{};
    if (::uname(&name) != 0) return {};
    const auto* const found = std::ranges::find(
        machines, std::string_view(static_cast<const char*>(name.machine)), &Machine::kernel);
    return found != machines.end() ? std::string(found->image)
                                   : std::string(static_cast<const char*>(name.machine));
}

Descriptor descriptor_of(const json::Value& value) {
    return {json::text_at(value, {"mediaType"}), json::text_at(value, {"digest"}),
            json::integer_at(value, {"size"}).value_or(0)};
}

// The one for this machine, or one that does not say for which; null: none.
const json::Value* manifest_in(const json::Value& manifests) {
    const std::string architecture = this_architecture();
    const json::Value* unnamed = nullptr;
    for (const json::Value& manifest : manifests.GetArray()) {
        const std::string its = json::text_at(manifest, {"platform", "architecture"});
        const std::string system = json::text_at(manifest, {"platform", "os"});
        if (its == architecture && (system.empty() || system == "linux")) return &manifest;
        if (its.empty() && unnamed == nullptr) unnamed = &manifest;
    }
    return unnamed;
}

}  // namespace

ContainerdClient::ImageReading::ImageReading(Session& session, std::string name_space, std::string image,
                                             std::string lease, Reply reply)
    : session_(session),
      name_space_(std::move(name_space)),
      image_(std::move(image)),
      lease_(std::move(lease)),
      purpose_("read image " + image_),
      reply_(std::move(reply)) {}

void ContainerdClient::ImageReading::start() {
    session_.call(request_to("/containerd.services.images.v1.Images/Get", purpose_, image_request(image_),
                             name_space_, session_.options().inspect_deadline),
                  [self = shared_from_this()](const grpc::Answer& answer) {
                      if (!answer) return self->fail(answer.error);
                      const auto target = decode_image_target(answer.message);
                      if (!target) return self->fail(Kind::protocol, "the answer makes no sense");
                      self->read(*target, &ImageReading::take_target);
                  });
}

void ContainerdClient::ImageReading::read(const Descriptor& content, Take take) {
    if (content.digest.empty()) return fail(Kind::protocol, "it refers to content without saying which");
    auto request =
        request_to("/containerd.services.content.v1.Content/Read", purpose_, read_content_request(content),
                   name_space_, session_.options().inspect_deadline);
    if (!lease_.empty()) request.metadata.emplace_back("containerd-lease", lease_);
    const auto text = std::make_shared<std::string>();
    grpc::StreamHandlers handlers;
    handlers.on_message = [text](std::string_view bytes) {
        const auto more = decode_content(bytes);
        // What is too long is not taken, but counted.
        if (more && text->size() <= largest) text->append(*more);
    };
    handlers.on_end = [self = shared_from_this(), text, take](const grpc::Answer& answer) {
        self->take_content(*text, answer ? nullptr : &answer.error, take);
    };
    session_.stream(std::move(request), std::move(handlers));
}

void ContainerdClient::ImageReading::take_content(const std::string& text, const EngineError* error,
                                                  Take take) {
    if (error != nullptr) return fail(*error);
    if (text.size() > largest) return fail(Kind::protocol, "a description in it is too large");
    try {
        reading_ = text;
        const json::Document document{text};
        (this->*take)(document.root());
    } catch (const json::Malformed& malformed) {
        fail(Kind::protocol, malformed.what());
    }
}

void ContainerdClient::ImageReading::take_target(const json::Value& target) {
    const json::Value* const manifests = json::find(target, {"manifests"});
    if (manifests == nullptr || !manifests->IsArray()) return take_manifest(target);
    const json::Value* const chosen = manifest_in(*manifests);
    if (chosen == nullptr || ++indexes_ > most_indexes)
        return fail(Kind::no_image,
                    "there is nothing in it for " + this_architecture() + "; pull it for that platform");
    read(descriptor_of(*chosen), &ImageReading::take_target);
}

void ContainerdClient::ImageReading::take_manifest(const json::Value& manifest) {
    const json::Value* const config = json::find(manifest, {"config"});
    const json::Value* const layers = json::find(manifest, {"layers"});
    if (config == nullptr || layers == nullptr || !layers->IsArray() || layers->Size() > most_layers)
        return fail(Kind::protocol, "its manifest makes no sense");
    for (const json::Value& layer : layers->GetArray())
        parts_.layers.push_back(descriptor_of(layer));
    const Descriptor content = descriptor_of(*config);
    parts_.config_digest = content.digest;
    read(content, &ImageReading::take_config);
}

void ContainerdClient::ImageReading::take_config(const json::Value& config) {
    parts_.config_json = reading_;
    const json::Value* const ids = json::find(config, {"rootfs", "diff_ids"});
    if (!config.IsObject()) return fail(Kind::protocol, "its configuration makes no sense");
    if (ids != nullptr && ids->IsArray()) {
        for (const json::Value& id : ids->GetArray()) {
            if (id.IsString()) parts_.diff_ids.emplace_back(json::raw_text(id));
        }
    }
    if (parts_.diff_ids.size() != parts_.layers.size())
        return fail(Kind::protocol, "its configuration tells of other layers than its manifest");
    std::exchange(reply_, nullptr)(std::move(parts_));
}

void ContainerdClient::ImageReading::fail(Kind kind, std::string_view cause) {
    fail(make_error(kind, purpose_, session_.endpoint(), cause));
}

void ContainerdClient::ImageReading::fail(EngineError error) {
    // Also content of it that is not there: it was not fetched for this machine.
    if (error.kind == Kind::not_found) error.kind = Kind::no_image;
    if (const auto call = std::exchange(reply_, nullptr)) call(std::move(error));
}

}  // namespace shorewatch::containerd
