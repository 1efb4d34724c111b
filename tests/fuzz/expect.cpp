#include "tests/fuzz/expect.h"

#include <cstdio>
#include <cstdlib>

#include "engines/support/text.h"

namespace shorewatch::fuzz {

namespace {

// Of the character that text begins with; 0: it begins with none.
std::size_t length_of_first(std::string_view text) {
    const auto byte = [text](std::size_t at) {
        return at < text.size() ? static_cast<unsigned char>(text[at]) : 0U;
    };
    const auto between = [&](std::size_t at, unsigned least, unsigned most) {
        return byte(at) >= least && byte(at) <= most;
    };
    const auto follows = [&](std::size_t at) { return between(at, 0x80, 0xBF); };
    const unsigned lead = byte(0);
    if (lead < 0x80) return 1;
    if (lead >= 0xC2 && lead <= 0xDF) return follows(1) ? 2 : 0;
    if (lead >= 0xE0 && lead <= 0xEF) {
        const unsigned least = lead == 0xE0 ? 0xA0 : 0x80;
        const unsigned most = lead == 0xED ? 0x9F : 0xBF;
        return between(1, least, most) && follows(2) ? 3 : 0;
    }
    if (lead >= 0xF0 && lead <= 0xF4) {
        const unsigned least = lead == 0xF0 ? 0x90 : 0x80;
        const unsigned most = lead == 0xF4 ? 0x8F : 0xBF;
        return between(1, least, most) && follows(2) && follows(3) ? 4 : 0;
    }
    return 0;
}

}  // namespace

void expect(bool holds, const char* what) {
    if (holds) return;
    std::fprintf(stderr, "not so: %s\n", what);
    std::abort();
}

// U+FDD0 to U+FDEF, and the last two of each plane: libsystemd takes no string that has one.
static bool is_noncharacter(std::string_view one) {
    const auto byte = [&](std::size_t at) { return static_cast<unsigned char>(one[at]); };
    if (one.size() == 3 && byte(0) == 0xEF && byte(1) == 0xB7) return byte(2) >= 0x90 && byte(2) <= 0xAF;
    if (one.size() < 3 || byte(one.size() - 1) < 0xBE || byte(one.size() - 2) != 0xBF) return false;
    return one.size() == 3 ? byte(0) == 0xEF : (byte(1) & 0x0FU) == 0x0F;
}

bool is_clean(std::string_view text) {
    while (!text.empty()) {
        const std::size_t length = length_of_first(text);
        if (length == 0 || text.front() == '\0' || is_noncharacter(text.substr(0, length))) return false;
        text.remove_prefix(length);
    }
    return true;
}

void expect_clean(std::string_view text, const char* what) {
    expect(is_clean(text), what);
}

void expect_name(std::string_view text, const char* what) {
    expect_clean(text, what);
    expect(text.size() <= longest_name, what);
}

void expect_line(std::string_view text, const char* what) {
    expect(!text.empty(), what);
    expect_clean(text, what);
    for (const char character : text)
        expect(static_cast<unsigned char>(character) >= 0x20 && character != 0x7F, what);
    expect(printable(text) == text, what);
}

void expect_labels(const Labels& labels) {
    std::size_t bytes = 0;
    const std::string* before = nullptr;
    for (const auto& [key, value] : labels.entries()) {
        expect_clean(key, "keys of labels are valid");
        expect_clean(value, "values of labels are valid");
        expect(before == nullptr || *before < key, "labels are sorted, and each is there once");
        expect(labels.find(key) == &value, "labels are found by their keys");
        before = &key;
        bytes += key.size() + value.size();
    }
    expect(bytes <= Labels::max_bytes, "labels are within their budget");
    expect(bytes == labels.bytes(), "labels know their size");
}

void expect_container(const ContainerPtr& container) {
    expect(container != nullptr && container->labels != nullptr, "there is a container, with labels");
    expect(!container->id.empty(), "containers have an id");
    expect_name(container->id, "ids are valid and short");
    expect_name(container->name, "names are valid and short");
    expect_name(container->image, "names of images are valid and short");
    expect_name(container->project, "names of projects are valid and short");
    expect_name(container->name_space, "namespaces are valid and short");
    expect_name(container->pod, "names of pods are valid and short");
    expect_name(container->pod_id, "ids of pods are valid and short");
    expect(container->pid <= INT32_MAX, "pids are pids");
    expect_labels(*container->labels);
}

void expect_event(const ContainerEvent& event) {
    expect_container(event.container);
    expect(event.time > RealTime{}, "events have a time");
    expect(!event.exit_code || event.type == ContainerEvent::Type::exited, "only ends have exit codes");
}

void expect_inspection(const Inspection& inspection) {
    expect_container(inspection.container);
    expect(inspection.alive || inspection.container->pid == 0, "the dead have no pid");
    expect(!inspection.alive || !inspection.exit_code, "the living have no exit code");
}

void expect_deployed(const DeployedContainer& container) {
    expect(!container.id.empty(), "containers have an id");
    expect_name(container.id, "ids are valid and short");
    expect_name(container.name, "names are valid and short");
    for (const auto& [key, value] : container.labels) {
        expect_clean(key, "keys of labels are valid");
        expect_clean(value, "values of labels are valid");
    }
    if (!container.error.empty()) expect_line(container.error, "what went wrong is one line");
}

void expect_error(const EngineError& error) {
    expect_line(error.message, "errors of engines are one line");
}

}  // namespace shorewatch::fuzz
