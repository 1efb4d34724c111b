// The arguments of methods that are a{sv}: values of any type under any name.
#include <map>
#include <string>
#include <vector>

#include <fuzzer/FuzzedDataProvider.h>

#include "dbus/service/container_filter.h"
#include "dbus/service/errors.h"
#include "dbus/service/given_options.h"
#include "dbus/service/object_paths.h"
#include "tests/fuzz/expect.h"

using namespace shorewatch;
using namespace shorewatch::bus;
using namespace shorewatch::fuzz;

namespace {

constexpr std::size_t longest = 64;

// libsystemd lets nothing else pass: no NUL, and UTF-8 of characters.
std::string text_from(FuzzedDataProvider& bytes) {
    std::string text = bytes.ConsumeRandomLengthString(longest);
    return is_clean(text) ? text : std::string("no text");
}

std::string name_from(FuzzedDataProvider& bytes) {
    if (!bytes.ConsumeBool()) return text_from(bytes);
    return bytes.PickValueInArray({"engine", "project", "name", "pod", "label", "paused", "stream", "image",
                                   "force", "timeout", "credentials", "labels"});
}

std::map<std::string, std::string> texts_from(FuzzedDataProvider& bytes) {
    std::map<std::string, std::string> texts;
    for (unsigned left = bytes.ConsumeIntegralInRange(0U, 4U); left > 0; --left)
        texts.emplace(text_from(bytes), text_from(bytes));
    return texts;
}

sdbus::Variant value_from(FuzzedDataProvider& bytes, unsigned depth) {
    switch (bytes.ConsumeIntegralInRange(0U, depth < 8 ? 13U : 12U)) {
        case 0:
            return sdbus::Variant(bytes.ConsumeBool());
        case 1:
            return sdbus::Variant(text_from(bytes));
        case 2:
            return sdbus::Variant(texts_from(bytes));
        case 3: {
            std::vector<std::string> texts(bytes.ConsumeIntegralInRange(0U, 4U), text_from(bytes));
            return sdbus::Variant(texts);
        }
        case 4:
            return sdbus::Variant(bytes.ConsumeIntegral<std::uint8_t>());
        case 5:
            return sdbus::Variant(bytes.ConsumeIntegral<std::int16_t>());
        case 6:
            return sdbus::Variant(bytes.ConsumeIntegral<std::uint32_t>());
        case 7:
            return sdbus::Variant(bytes.ConsumeIntegral<std::int64_t>());
        case 8:
            return sdbus::Variant(bytes.ConsumeIntegral<std::uint64_t>());
        case 9:
            return sdbus::Variant(bytes.ConsumeFloatingPoint<double>());
        case 10:
            return sdbus::Variant(sdbus::ObjectPath("/org/example"));
        case 11:
            return sdbus::Variant(std::vector<std::uint8_t>(3, bytes.ConsumeIntegral<std::uint8_t>()));
        case 12:
            return sdbus::Variant(sdbus::Struct<std::string, bool>(text_from(bytes), bytes.ConsumeBool()));
        default:
            return sdbus::Variant(value_from(bytes, depth + 1));
    }
}

// What is wrong is told to whoever called, in a message of its own.
void expect_refusal(const sdbus::Error& refusal) {
    expect(std::string(refusal.getName()) == errors::invalid_args, "wrong arguments are called that");
    expect_line(refusal.getMessage(), "what is wrong is one line");
}

void take_options(const std::map<std::string, sdbus::Variant>& arguments) {
    try {
        GivenOptions options(arguments);
        const auto flag = options.flag("force");
        const auto text = options.text("image");
        const auto texts = options.texts("labels");
        options.finish();
        expect(flag.has_value() == arguments.contains("force"), "flags are taken");
        expect(text.has_value() == arguments.contains("image"), "texts are taken");
        expect(texts.has_value() == arguments.contains("labels"), "dictionaries are taken");
        expect(arguments.size() == std::size_t{flag.has_value()} + text.has_value() + texts.has_value(),
               "nothing else is taken");
    } catch (const sdbus::Error& refusal) {
        expect_refusal(refusal);
    }
}

void take_filter(const std::map<std::string, sdbus::Variant>& arguments) {
    try {
        const ContainerFilter filter = parse_filter(arguments);
        expect(filter.name.has_value() == arguments.contains("name"), "names are taken");
        expect(filter.paused.has_value() == arguments.contains("paused"), "flags are taken");
    } catch (const sdbus::Error& refusal) {
        expect_refusal(refusal);
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    FuzzedDataProvider bytes(data, size);
    std::map<std::string, sdbus::Variant> arguments;
    for (unsigned left = bytes.ConsumeIntegralInRange(0U, 4U); left > 0; --left)
        arguments.emplace(name_from(bytes), value_from(bytes, 0));
    take_options(arguments);
    take_filter(arguments);
    const std::string name = text_from(bytes);
    for (const std::string& path : {std::string(container_path(name, name)),
                                    std::string(project_path(name, name)), std::string(task_path(name))}) {
        expect(sd_bus_object_path_is_valid(path.c_str()) > 0, "whatever has a name has a path");
    }
    return 0;
}
