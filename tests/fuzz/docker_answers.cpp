// What Docker answers, and each object of its event stream: the same text is given to every decoder.
#include <string>

#include "engines/docker/docker_decode.h"
#include "engines/rest/deployment_decode.h"
#include "tests/fuzz/expect.h"
#include "tests/fuzz/json_answer.h"

using namespace shorewatch;
using namespace shorewatch::fuzz;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string text(text_of(data, size));
    decoded([&] { return docker::decode_event(text); },
            [](const rest::EventLine& line) {
                if (line.event) expect_event(*line.event);
                expect_name(line.complaint, "complaints are valid and short");
            });
    decoded([&] { return docker::decode_list(text); },
            [](const rest::ContainerList& list) {
                for (const ContainerPtr& container : list.containers)
                    expect_container(container);
            });
    decoded([&] { return docker::decode_inspection(text); }, expect_inspection);
    decoded([&] { return docker::decode_info(text); },
            [](const rest::EngineInfo& info) {
                expect_name(info.id, "the engine's id is valid and short");
                expect_name(info.version, "the engine's version is valid and short");
            });
    const auto version = docker::ApiVersion::parse(text);
    if (version) expect(docker::ApiVersion::parse(version->text()) == version, "versions are what they say");

    decoded([&] { return rest::pull_complaint(text); },
            [](const std::string& words) { expect_name(words, "complaints are valid and short"); });
    decoded([&] { return rest::decode_created(text); },
            [](const std::string& id) {
                expect(!id.empty(), "what was made has an id");
                expect_name(id, "ids are valid and short");
            });
    decoded([&] { return rest::decode_deployed(text); }, expect_deployed);
    decoded([&] { return rest::decode_deployed_list(text); },
            [](const std::vector<DeployedContainer>& list) {
                for (const DeployedContainer& container : list)
                    expect_deployed(container);
            });
    decoded([&] { return rest::decode_address(text); },
            [](const std::string& address) { expect_name(address, "addresses are valid and short"); });
    decoded([&] { return rest::removal_complaint(text); },
            [](const std::string& words) { expect_name(words, "complaints are valid and short"); });
    return 0;
}
