#include "engines/containerd/runtime/spec_json.h"

#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

namespace shorewatch::containerd {

namespace {

using json::Malformed;

// Those of real specifications have some thousand values.
constexpr json::Bounds bounds{.depth = 64, .values = 200'000};

const json::Value& object_of(const json::Document& document) {
    if (!document.root().IsObject()) throw Malformed("the JSON is no object");
    return document.root();
}

bool terminal_of(const json::Value& process, const char* name) {
    if (!process.IsObject()) throw Malformed("'process' is no object");
    const json::Value* const terminal = json::find(process, {"terminal"});
    if (terminal != nullptr && !terminal->IsBool())
        throw Malformed("'" + std::string(name) + "' is neither true nor false");
    return terminal != nullptr && terminal->GetBool();
}

// Where containerd mounts a container's snapshot, from where the specification is.
constexpr std::string_view own_root = "rootfs";

// Writes JSON values as they are, but for one member.
class Rewriter {
  public:
    // The object, with write_changed() for its member's value, which is null where there is none.
    template <typename Write>
    void object(const json::Value& object, std::string_view name, const Write& write_changed) {
        const json::Value* changed = nullptr;
        writer_.StartObject();
        for (const auto& member : object.GetObject()) {
            if (json::raw_text(member.name) == name) {
                changed = &member.value;
                continue;
            }
            writer_.Key(member.name.GetString(), member.name.GetStringLength());
            member.value.Accept(writer_);
        }
        writer_.Key(name.data(), static_cast<rapidjson::SizeType>(name.size()));
        write_changed(changed);
        writer_.EndObject();
    }

    void with_flag(const json::Value& value, std::string_view name, bool flag) {
        object(value, name, [&](const json::Value*) { writer_.Bool(flag); });
    }

    void with_text(const json::Value& value, std::string_view name, std::string_view text) {
        object(value, name, [&](const json::Value*) {
            writer_.String(text.data(), static_cast<rapidjson::SizeType>(text.size()));
        });
    }

    [[nodiscard]] std::string written() const { return {buffer_.GetString(), buffer_.GetSize()}; }

  private:
    rapidjson::StringBuffer buffer_;
    rapidjson::Writer<rapidjson::StringBuffer> writer_{buffer_};
};

const json::Value& object_or_empty(const json::Value* value) {
    static const json::Value empty(rapidjson::kObjectType);
    return value != nullptr && value->IsObject() ? *value : empty;
}

}  // namespace

bool spec_terminal(std::string_view spec) {
    const json::Document document{std::string(spec), bounds};
    const json::Value* const process = json::find(object_of(document), {"process"});
    return process != nullptr && terminal_of(*process, "process.terminal");
}

bool process_terminal(std::string_view process) {
    const json::Document document{std::string(process), bounds};
    return terminal_of(object_of(document), "terminal");
}

std::string spec_with_terminal(std::string_view spec, bool terminal) {
    const json::Document document{std::string(spec), bounds};
    Rewriter out;
    out.object(object_of(document), "process", [&](const json::Value* process) {
        out.with_flag(object_or_empty(process), "terminal", terminal);
    });
    return out.written();
}

std::string process_with_terminal(std::string_view process, bool terminal) {
    const json::Document document{std::string(process), bounds};
    Rewriter out;
    out.with_flag(object_of(document), "terminal", terminal);
    return out.written();
}

std::string spec_with_own_root(std::string_view spec) {
    const json::Document document{std::string(spec), bounds};
    Rewriter out;
    out.object(object_of(document), "root",
               [&](const json::Value* root) { out.with_text(object_or_empty(root), "path", own_root); });
    return out.written();
}

void check_object(std::string_view text) {
    const json::Document document{std::string(text), bounds};
    static_cast<void>(object_of(document));
}

}  // namespace shorewatch::containerd
