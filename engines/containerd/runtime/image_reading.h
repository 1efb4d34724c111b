// What an image is made of: read from containerd's content store.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "engines/containerd/containerd_session.h"
#include "engines/containerd/runtime/runtime_messages.h"
#include "engines/http/json.h"
#include "engines/result.h"

namespace shorewatch::containerd {

struct ImageParts {
    std::string config_json;
    std::string config_digest;
    std::vector<Descriptor> layers;     // from the lowest
    std::vector<std::string> diff_ids;  // what each is when it is unpacked; as many
};

// Of the image for this machine, where there are several. Held by the calls under way, which end with the
// session.
class ContainerdClient::ImageReading : public std::enable_shared_from_this<ContainerdClient::ImageReading> {
  public:
    using Reply = std::function<void(Result<ImageParts>)>;

    // lease: what is read stays as long as this lives; empty: none.
    ImageReading(Session& session, std::string name_space, std::string image, std::string lease, Reply reply);

    void start();

  private:
    using Take = void (ImageReading::*)(const json::Value&);

    // Has take called with the JSON in a piece of content.
    void read(const Descriptor& content, Take take);
    void take_content(const std::string& text, const EngineError* error, Take take);
    // An index of images for several machines, or an image.
    void take_target(const json::Value& target);
    void take_manifest(const json::Value& manifest);
    void take_config(const json::Value& config);
    void fail(EngineError::Kind kind, std::string_view cause);
    void fail(EngineError error);

    Session& session_;
    const std::string name_space_;
    const std::string image_;
    const std::string lease_;
    const std::string purpose_;
    Reply reply_;
    ImageParts parts_;
    std::string reading_;  // the text that is being taken
    unsigned indexes_ = 0;
};

}  // namespace shorewatch::containerd
