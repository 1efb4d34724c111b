#include "dbus/ctl/oci/image_config.h"

#include <algorithm>

#include <rapidjson/document.h>

namespace shorewatch::ctl {

namespace {

using Value = rapidjson::Value;

const Value* member(const Value& object, const char* name) {
    if (!object.IsObject()) return nullptr;
    const auto found = object.FindMember(name);
    return found == object.MemberEnd() ? nullptr : &found->value;
}

std::string text(const Value& object, const char* name) {
    const Value* const value = member(object, name);
    return value != nullptr && value->IsString() ? std::string(value->GetString(), value->GetStringLength())
                                                 : std::string();
}

std::vector<std::string> texts(const Value& object, const char* name) {
    std::vector<std::string> result;
    const Value* const values = member(object, name);
    if (values == nullptr || !values->IsArray()) return result;
    for (const Value& value : values->GetArray()) {
        if (value.IsString()) result.emplace_back(value.GetString(), value.GetStringLength());
    }
    return result;
}

std::string_view key_of(std::string_view variable) {
    return variable.substr(0, variable.find('='));
}

}  // namespace

std::optional<ImageConfig> image_config(std::string_view json) {
    rapidjson::Document document;
    document.Parse<rapidjson::kParseIterativeFlag | rapidjson::kParseValidateEncodingFlag>(json.data(),
                                                                                           json.size());
    if (document.HasParseError() || !document.IsObject()) return std::nullopt;
    ImageConfig image;
    const Value* const config = member(document, "config");
    if (config == nullptr) return image;
    image.entrypoint = texts(*config, "Entrypoint");
    image.command = texts(*config, "Cmd");
    image.environment = texts(*config, "Env");
    image.folder = text(*config, "WorkingDir");
    image.user = text(*config, "User");
    return image;
}

std::vector<std::string> command_line(const ImageConfig& image, const std::vector<std::string>& given,
                                      const std::optional<std::string>& entrypoint) {
    std::vector<std::string> line = image.entrypoint;
    if (entrypoint) line = entrypoint->empty() ? std::vector<std::string>{} : std::vector{*entrypoint};
    const std::vector<std::string>& own = entrypoint ? std::vector<std::string>{} : image.command;
    const std::vector<std::string>& rest = given.empty() ? own : given;
    line.insert(line.end(), rest.begin(), rest.end());
    return line;
}

std::vector<std::string> changed_environment(std::vector<std::string> base,
                                             const std::vector<std::string>& changes) {
    for (const std::string& change : changes) {
        const auto same = std::find_if(base.begin(), base.end(), [&](const std::string& variable) {
            return key_of(variable) == key_of(change);
        });
        if (same == base.end()) {
            base.push_back(change);
        } else {
            *same = change;
        }
    }
    return base;
}

}  // namespace shorewatch::ctl
