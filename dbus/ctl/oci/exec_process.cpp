#include "dbus/ctl/oci/exec_process.h"

#include <rapidjson/document.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include "dbus/ctl/oci/image_config.h"

namespace shorewatch::ctl {

namespace {

using rapidjson::Document;
using rapidjson::Value;

// Iteratively, as the text may be nested without measure.
bool parse(Document& document, std::string_view text) {
    document.Parse<rapidjson::kParseIterativeFlag | rapidjson::kParseValidateEncodingFlag>(text.data(),
                                                                                           text.size());
    return !document.HasParseError();
}

Value* member(Value& object, const char* name) {
    if (!object.IsObject()) return nullptr;
    const auto found = object.FindMember(name);
    return found == object.MemberEnd() ? nullptr : &found->value;
}

std::vector<std::string> texts(const Value& values) {
    std::vector<std::string> result;
    if (!values.IsArray()) return result;
    for (const Value& value : values.GetArray()) {
        if (value.IsString()) result.emplace_back(value.GetString(), value.GetStringLength());
    }
    return result;
}

// An object's members, one after the other.
class Members {
  public:
    Members(Value& object, Document::AllocatorType& allocator) : object_(object), allocator_(allocator) {}

    void set(const char* name, Value value) {
        object_.RemoveMember(name);
        object_.AddMember(Value(name, allocator_), value, allocator_);
    }
    void set(const char* name, const std::string& text) { set(name, copy(text)); }
    void set(const char* name, const std::vector<std::string>& values) {
        Value array(rapidjson::kArrayType);
        for (const std::string& text : values)
            array.PushBack(copy(text), allocator_);
        set(name, std::move(array));
    }
    void remove(const char* name) { object_.RemoveMember(name); }

    Value copy(const std::string& text) {
        return {text.data(), static_cast<rapidjson::SizeType>(text.size()), allocator_};
    }
    Document::AllocatorType& allocator() { return allocator_; }

  private:
    Value& object_;
    Document::AllocatorType& allocator_;
};

Value user_value(const User& user, Document::AllocatorType& allocator) {
    Value result(rapidjson::kObjectType);
    result.AddMember("uid", Value(user.uid), allocator);
    result.AddMember("gid", Value(user.gid), allocator);
    if (user.groups.empty()) return result;
    Value groups(rapidjson::kArrayType);
    for (const std::uint32_t group : user.groups)
        groups.PushBack(Value(group), allocator);
    result.AddMember("additionalGids", groups, allocator);
    return result;
}

void set_terminal(Members& members, const std::optional<TerminalSize>& terminal) {
    members.set("terminal", Value(terminal.has_value()));
    members.remove("consoleSize");
    if (!terminal || terminal->width == 0 || terminal->height == 0) return;
    Value size(rapidjson::kObjectType);
    size.AddMember("height", Value(terminal->height), members.allocator());
    size.AddMember("width", Value(terminal->width), members.allocator());
    members.set("consoleSize", std::move(size));
}

}  // namespace

std::optional<std::string> exec_json(std::string_view inspection, const ExecPlan& plan) {
    Document document;
    if (!parse(document, inspection)) return std::nullopt;
    Value* const spec = member(document, "Spec");
    Value* const process = spec == nullptr ? nullptr : member(*spec, "process");
    if (process == nullptr || !process->IsObject()) return std::nullopt;
    Members members(*process, document.GetAllocator());
    members.set("args", plan.arguments);
    const Value* const environment = member(*process, "env");
    std::vector<std::string> variables = environment == nullptr ? default_environment() : texts(*environment);
    if (plan.terminal) variables = changed_environment(variables, {"TERM=xterm"});
    members.set("env", changed_environment(variables, plan.environment));
    if (plan.folder) members.set("cwd", *plan.folder);
    if (plan.user) members.set("user", user_value(*plan.user, document.GetAllocator()));
    set_terminal(members, plan.terminal);
    rapidjson::StringBuffer buffer;
    rapidjson::Writer<rapidjson::StringBuffer> writer(buffer);
    process->Accept(writer);
    return std::string(buffer.GetString(), buffer.GetSize());
}

std::optional<std::string> root_of(std::string_view inspection) {
    Document document;
    if (!parse(document, inspection)) return std::nullopt;
    Value* const spec = member(document, "Spec");
    Value* const root = spec == nullptr ? nullptr : member(*spec, "root");
    Value* const path = root == nullptr ? nullptr : member(*root, "path");
    if (path == nullptr || !path->IsString()) return std::nullopt;
    std::string text(path->GetString(), path->GetStringLength());
    return text.starts_with('/') ? std::optional(std::move(text)) : std::nullopt;
}

}  // namespace shorewatch::ctl
