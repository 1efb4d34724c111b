// What an engine with a REST API does for whoever deploys containers on it.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engines/engine_deployment.h"
#include "engines/rest/client.h"

namespace shorewatch::rest {

class Client::Deployment final : public EngineDeployment {
  public:
    // owner has it.
    explicit Deployment(Client& owner) : owner_(owner) {}

    void pull(const std::string& image, const std::optional<RegistryCredentials>& credentials,
              Done reply) override;
    void find_image(const std::string& image, Done reply) override;
    void list_images(ImagesReply reply) override;
    // Where containers are linked by address, those it links to are inspected first; one without an address
    // of its own, as in the host's network, is left out.
    void create(const ContainerPlan& plan, TextReply reply) override;
    void start(const std::string& id, Done reply) override;
    void inspect(const std::string& id_or_name, ContainerReply reply) override;
    void find_containers(const std::string& label, ContainersReply reply) override;
    void remove(const std::string& id, Done reply) override;
    void create_volume(const std::string& name, const StringPairs& labels, Done reply) override;
    void remove_volume(const std::string& name, Done reply) override;

  private:
    using BodyReply = std::function<void(Result<std::string>)>;
    // The kind of a refusal, by its status and its words.
    using KindOf = EngineError::Kind (*)(int status, const std::string& words);

    // Asks and answers with the body of a status of 2xx, or with the error that another one is.
    void ask(const std::string& path, http::Request request, KindOf kind_of, BodyReply reply);
    void find_hosts(ContainerPlan plan, StringPairs hosts, TextReply reply);
    void create_with(const ContainerPlan& plan, const StringPairs& hosts, TextReply reply);
    [[nodiscard]] std::string path_of(std::string_view below) const;

    Client& owner_;
};

}  // namespace shorewatch::rest
