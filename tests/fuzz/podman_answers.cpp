// What Podman answers, and each object of its event stream: the same text is given to every decoder, as a
// client asks for them, since what one has told is remembered for the others.
#include <string>

#include "engines/podman/podman_decode.h"
#include "engines/podman/podman_dialect.h"
#include "tests/fuzz/expect.h"
#include "tests/fuzz/json_answer.h"

using namespace shorewatch;
using namespace shorewatch::fuzz;

namespace {

void expect_list(const rest::ContainerList& list) {
    for (const ContainerPtr& container : list.containers)
        expect_container(container);
}

void expect_line_of_events(const rest::EventLine& line) {
    if (line.event) expect_event(*line.event);
    expect_name(line.complaint, "complaints are valid and short");
    expect_name(line.gap, "gaps are told in valid words");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string text(text_of(data, size));
    podman::PodmanDialect dialect;
    decoded([&] { return dialect.decode_list(text); }, expect_list);
    decoded([&] { return dialect.decode_inspection(text); },
            [&](const Inspection& inspection) {
                expect_inspection(inspection);
                Inspection whole = inspection;
                dialect.supplement(whole, text);
                expect_inspection(whole);
            });
    decoded([&] { return dialect.decode_event(text); }, expect_line_of_events);
    decoded([&] { return dialect.decode_list(text); }, expect_list);
    decoded([&] { return podman::decode_pod_name(text); },
            [](const std::string& name) { expect_name(name, "names of pods are valid and short"); });
    decoded([&] { return dialect.decode_info(text); },
            [](const rest::EngineInfo& info) {
                expect_clean(info.id, "the engine's id is valid");
                expect_name(info.version, "the engine's version is valid and short");
            });
    const rest::Greeting greeting =
        dialect.decode_ping({200, {{"libpod-api-version", text}, {"date", text}}});
    expect(!greeting.prefix.empty() || !greeting.refusal.empty(), "a greeting is taken or refused");
    return 0;
}
