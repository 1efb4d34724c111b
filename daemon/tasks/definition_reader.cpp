#include "daemon/tasks/definition_reader.h"

#include <algorithm>
#include <utility>

#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include "daemon/tasks/task_engine.h"
#include "engines/support/text.h"

namespace shorewatch {

namespace {

// Members that are about this one task and its wants; all others are the definition's.
constexpr const char* arn_field = "taskArn";
constexpr const char* desired_field = "desiredStatus";
constexpr const char* credentials_field = "pullCredentials";

TaskStatus desired_of(const PlacedValue& value) {
    const std::string text = value.text();
    const auto status = status_from(text);
    if (status == TaskStatus::running || status == TaskStatus::stopped) return *status;
    value.fail("is '" + text + "'; expected 'RUNNING' or 'STOPPED'");
}

std::vector<VolumeDefinition> read_volumes(const PlacedValue& array) {
    constexpr std::size_t most_volumes = 100;
    std::vector<VolumeDefinition> volumes;
    for (const PlacedValue& element : array.elements(most_volumes)) {
        ObjectReader reader(element, "a volume");
        const PlacedValue name = reader.get("name");
        VolumeDefinition volume{name.name(), {}};
        if (const auto host = reader.find("host")) {
            ObjectReader fields(*host, "a volume of the host");
            const auto path = fields.find("sourcePath");
            fields.finish();
            if (path && !path->text_or_empty().empty()) volume.host_path = path->absolute_path();
        }
        reader.refuse({"configuredAtLaunch", "dockerVolumeConfiguration", "efsVolumeConfiguration",
                       "fsxWindowsFileServerVolumeConfiguration", "s3filesVolumeConfiguration"});
        reader.finish();
        if (std::ranges::find(volumes, volume.name, &VolumeDefinition::name) != volumes.end())
            name.fail("is '" + volume.name + "', as another volume's");
        volumes.push_back(std::move(volume));
    }
    return volumes;
}

// As RunTask has them: commands that replace those of containers.
void apply_overrides(const PlacedValue& value, std::vector<ContainerDefinition>& containers) {
    ObjectReader reader(value, "overrides");
    if (const auto array = reader.find("containerOverrides")) {
        for (const PlacedValue& element : array->elements(most_task_containers)) {
            ObjectReader fields(element, "an override");
            const PlacedValue name = fields.get("name");
            const auto command = fields.find("command");
            fields.finish();
            const auto container = std::ranges::find(containers, name.text(), &ContainerDefinition::name);
            if (container == containers.end())
                name.fail("names container '" + name.text() + "', which is not in this task");
            if (command) container->command = command->texts();
        }
    }
    reader.finish();
}

void check_network(ObjectReader& reader) {
    const auto mode = reader.find("networkMode");
    if (mode && mode->text() != "bridge")
        mode->fail("is '" + mode->text() + "'; expected 'bridge', which is what containers get");
}

// The definition alone, as it was written.
std::string json_without_wants(const json::Value& value) {
    rapidjson::Document copy;
    copy.CopyFrom(value, copy.GetAllocator());
    for (const char* field : {arn_field, desired_field, credentials_field})
        copy.RemoveMember(field);
    rapidjson::StringBuffer buffer;
    rapidjson::Writer<rapidjson::StringBuffer> writer(buffer);
    copy.Accept(writer);
    // In what is let pass there may be anything.
    return valid_utf8({buffer.GetString(), buffer.GetSize()});
}

}  // namespace

std::string read_arn(const PlacedValue& value) {
    std::string arn = value.text(longest_arn);
    // A backslash is harmless, and printable() leaves it as it is.
    if (printable(arn) != arn) value.fail("holds control characters; expected a name");
    return arn;
}

std::string registry_of(std::string_view image) {
    const std::size_t slash = image.find('/');
    if (slash == std::string_view::npos) return "docker.io";
    const std::string_view first = image.substr(0, slash);
    const bool is_host = first == "localhost" || first.find_first_of(".:") != std::string_view::npos;
    return is_host ? std::string(first) : "docker.io";
}

CredentialsByRegistry read_credentials(const PlacedValue& object) {
    CredentialsByRegistry credentials;
    const ObjectReader reader(object, "credentials by registry");
    for (const auto& member : object.value().GetObject()) {
        const std::string registry(json::raw_text(member.name));
        const PlacedValue entry(member.value, reader.path_of(registry));
        if (registry.empty() || printable(registry) != registry ||
            registry.find_first_of("/ @") != std::string::npos)
            entry.fail("is of no registry; expected one as in 'registry.example:5000' or 'docker.io'");
        ObjectReader fields(entry, "credentials");
        RegistryCredentials one{fields.get("username").text(), fields.get("password").text()};
        fields.finish();
        credentials.emplace(registry, std::move(one));
    }
    return credentials;
}

WantedTask read_definition(const PlacedValue& value) {
    ObjectReader reader(value, "a task definition");
    WantedTask task;
    TaskDefinition definition;
    if (const auto arn = reader.find(arn_field)) task.arn = read_arn(*arn);
    if (const auto desired = reader.find(desired_field)) task.desired = desired_of(*desired);
    if (const auto object = reader.find(credentials_field)) task.credentials = read_credentials(*object);
    definition.family = reader.get("family").name();
    if (const auto revision = reader.find("revision"))
        definition.version = std::to_string(revision->integer(0, INT32_MAX));
    if (const auto volumes = reader.find("volumes")) definition.volumes = read_volumes(*volumes);
    definition.containers = read_containers(reader.get("containerDefinitions"), definition.volumes);
    if (const auto overrides = reader.find("overrides")) apply_overrides(*overrides, definition.containers);
    check_network(reader);
    reader.allow({"compatibilities", "deregisteredAt", "executionRoleArn", "placementConstraints",
                  "registeredAt", "registeredBy", "requiresAttributes", "requiresCompatibilities",
                  "runtimePlatform", "status", "tags", "taskDefinitionArn", "taskRoleArn"});
    reader.refuse({"cpu", "enableFaultInjection", "ephemeralStorage", "inferenceAccelerators", "ipcMode",
                   "memory", "pidMode", "proxyConfiguration"});
    reader.finish();
    task.definition = std::make_shared<const TaskDefinition>(std::move(definition));
    task.json = json_without_wants(value.value());
    return task;
}

WantedTask read_definition(const std::string& text) {
    constexpr json::Bounds bounds{.depth = 32, .values = 50'000};
    if (text.size() > longest_definition) {
        throw InvalidDefinition("$", "is " + std::to_string(text.size()) + " bytes long; expected at most " +
                                         std::to_string(longest_definition));
    }
    try {
        const json::Document document(text, bounds);
        const PlacedValue root(document.root(), "$");
        // As "aws ecs describe-task-definition" shows it.
        if (const json::Value* inner = json::find(document.root(), {"taskDefinition"})) {
            ObjectReader reader(root, "a described task definition");
            reader.allow({"taskDefinition", "tags"});
            reader.finish();
            return read_definition(PlacedValue(*inner, "$.taskDefinition"));
        }
        return read_definition(root);
    } catch (const json::Malformed& error) {
        throw InvalidDefinition("$", std::string("is no task definition: ") + error.what());
    }
}

}  // namespace shorewatch
