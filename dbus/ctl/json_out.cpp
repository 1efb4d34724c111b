#include "dbus/ctl/json_out.h"

#include <cmath>

#include <rapidjson/prettywriter.h>
#include <rapidjson/reader.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include "engines/support/text.h"

namespace shorewatch::ctl {

namespace {

using PortRow = sdbus::Struct<std::uint16_t, std::uint16_t, std::string>;
using LineWriter = rapidjson::Writer<rapidjson::StringBuffer, rapidjson::UTF8<>, rapidjson::ASCII<>>;
using BlockWriter = rapidjson::PrettyWriter<rapidjson::StringBuffer, rapidjson::UTF8<>, rapidjson::ASCII<>>;

template <typename Writer>
class Json {
  public:
    explicit Json(Writer& writer) : writer_(writer) {}

    void write(std::string_view text) {
        const std::string valid = valid_utf8(text);  // The writer stops at anything else.
        writer_.String(valid.data(), static_cast<rapidjson::SizeType>(valid.size()));
    }
    void write(const std::string& text) { write(std::string_view(text)); }
    void write(bool value) { writer_.Bool(value); }
    void write(std::uint8_t value) { writer_.Uint(value); }
    void write(std::int16_t value) { writer_.Int(value); }
    void write(std::uint16_t value) { writer_.Uint(value); }
    void write(std::int32_t value) { writer_.Int(value); }
    void write(std::uint32_t value) { writer_.Uint(value); }
    void write(std::int64_t value) { writer_.Int64(value); }
    void write(std::uint64_t value) { writer_.Uint64(value); }
    void write(double value) { std::isfinite(value) ? writer_.Double(value) : writer_.Null(); }

    // Port in the container, port of the host, protocol.
    void write(const PortRow& port) {
        writer_.StartArray();
        write(port.get<0>());
        write(port.get<1>());
        write(port.get<2>());
        writer_.EndArray();
    }

    template <typename T>
    void write(const std::vector<T>& values) {
        writer_.StartArray();
        for (const T& value : values)
            write(value);
        writer_.EndArray();
    }

    template <typename T>
    void write(const std::map<std::string, T>& values) {
        writer_.StartObject();
        for (const auto& [key, value] : values)
            member(key, value);
        writer_.EndObject();
    }

    template <typename T>
    void write(const std::optional<T>& value) {
        value ? write(*value) : void(writer_.Null());
    }

    // The types that the D-Bus API has, and the other basic ones; null for what a later version may bring.
    void write(const sdbus::Variant& value) {
        const bool known = write_as<std::string, sdbus::ObjectPath, bool, std::uint32_t, std::int32_t,
                                    std::uint64_t, std::int64_t, std::uint16_t, std::int16_t, std::uint8_t,
                                    double, std::vector<std::string>, std::vector<sdbus::ObjectPath>,
                                    std::map<std::string, std::string>, Properties,
                                    std::map<std::string, Properties>, std::vector<PortRow>>(value);
        if (!known) writer_.Null();
    }

    template <typename T>
    void member(std::string_view key, const T& value) {
        const std::string valid = valid_utf8(key);
        writer_.Key(valid.data(), static_cast<rapidjson::SizeType>(valid.size()));
        write(value);
    }

    // Of any object: its path and its properties.
    template <typename Info>
    void object(const Info& info) {
        writer_.StartObject();
        member("Path", info.path);
        for (const auto& [key, value] : info.properties)
            member(key, value);
        writer_.EndObject();
    }

    void place(const ProcessPlace& place, bool chain) {
        writer_.StartObject();
        member("pid", place.pid);
        writer_.Key("container");
        place.container ? object(*place.container) : void(writer_.Null());
        if (chain) {
            writer_.Key("chain");
            writer_.StartArray();
            for (const ProcessLink& link : place.chain) {
                writer_.StartObject();
                member("pid", link.pid);
                member("command", link.command);
                writer_.EndObject();
            }
            writer_.EndArray();
        }
        writer_.EndObject();
    }

    template <typename Info>
    void objects(const std::vector<Info>& infos) {
        writer_.StartArray();
        for (const Info& info : infos)
            object(info);
        writer_.EndArray();
    }

  private:
    template <typename... Types>
    bool write_as(const sdbus::Variant& value) {
        return (write_if<Types>(value) || ...);
    }

    template <typename T>
    bool write_if(const sdbus::Variant& value) {
        if (!value.containsValueOfType<T>()) return false;
        write(value.get<T>());
        return true;
    }

    Writer& writer_;
};

// Writes what a reader reads, and numbers digit for digit. Refuses what is nested without measure: of that,
// indentation would make far more than was read.
class Copier : public BlockWriter {
  public:
    explicit Copier(rapidjson::StringBuffer& buffer) : BlockWriter(buffer) { SetIndent(' ', 2); }
    bool RawNumber(const char* digits, rapidjson::SizeType size, bool) {
        return RawValue(digits, size, rapidjson::kNumberType);
    }
    bool StartObject() { return ++depth_ <= deepest && BlockWriter::StartObject(); }
    bool StartArray() { return ++depth_ <= deepest && BlockWriter::StartArray(); }
    bool EndObject(rapidjson::SizeType members) {
        --depth_;
        return BlockWriter::EndObject(members);
    }
    bool EndArray(rapidjson::SizeType elements) {
        --depth_;
        return BlockWriter::EndArray(elements);
    }

  private:
    static constexpr int deepest = 100;
    int depth_ = 0;
};

template <typename Fill>
std::string block(const Fill& fill) {
    rapidjson::StringBuffer buffer;
    BlockWriter writer(buffer);
    writer.SetIndent(' ', 2);
    fill(Json(writer));
    return std::string(buffer.GetString(), buffer.GetSize()) + "\n";
}

using Kind = WatchEvent::Kind;

void write_arguments(Json<LineWriter>& json, const WatchEvent& event) {
    json.member("engine", event.engine);
    if (event.kind == Kind::engine_state) {
        json.member("state", event.state);
    } else {
        json.member("project", event.project);
        json.member("name", event.name);
        json.member("id", event.id);
    }
    json.member("path", event.path);
    json.member("sequence", event.sequence);
    json.member("details", event.details);
    if (event.ran) json.member("ran", *event.ran);
}

}  // namespace

std::string to_json(const std::vector<ContainerInfo>& containers) {
    return block([&](auto json) { json.objects(containers); });
}

std::string to_json(const std::vector<EngineInfo>& engines) {
    return block([&](auto json) { json.objects(engines); });
}

std::string to_json(const ContainerInfo& container) {
    return block([&](auto json) { json.object(container); });
}

std::string to_json(const std::vector<ProcessPlace>& places, bool chains) {
    rapidjson::StringBuffer buffer;
    BlockWriter writer(buffer);
    writer.SetIndent(' ', 2);
    Json json(writer);
    writer.StartArray();
    for (const ProcessPlace& place : places)
        json.place(place, chains);
    writer.EndArray();
    return std::string(buffer.GetString(), buffer.GetSize()) + "\n";
}

std::string to_json(const std::vector<Address>& addresses) {
    std::vector<std::map<std::string, std::string>> rows;
    rows.reserve(addresses.size());
    for (const Address& address : addresses)
        rows.push_back({{"interface", address.interface}, {"address", address.address}});
    return block([&](auto json) { json.write(rows); });
}

std::string to_json(const std::vector<RuntimeContainer>& containers) {
    std::vector<Properties> rows;
    rows.reserve(containers.size());
    for (const RuntimeContainer& container : containers) {
        Properties& row = rows.emplace_back(container.properties);
        row["Id"] = sdbus::Variant(container.id);
        row["Engine"] = sdbus::Variant(container.engine);
    }
    return block([&](auto json) { json.write(rows); });
}

std::string to_json(const std::vector<UsageRow>& rows) {
    std::string lines;
    for (const UsageRow& row : rows) {
        rapidjson::StringBuffer buffer;
        LineWriter writer(buffer);
        Json json(writer);
        writer.StartObject();
        json.member("id", row.id);
        json.member("read_at", row.usage.read_at);
        json.member("cpu_time", row.usage.cpu_time);
        json.member("cpu_percent", row.cpu);
        json.member("memory", row.usage.memory);
        json.member("memory_limit", row.usage.memory_limit);
        json.member("bytes_read", row.usage.bytes_read);
        json.member("bytes_written", row.usage.bytes_written);
        json.member("processes", row.usage.processes);
        json.member("process_limit", row.usage.process_limit);
        writer.EndObject();
        lines.append(buffer.GetString(), buffer.GetSize()).append("\n");
    }
    return lines;
}

std::optional<std::string> ascii_json(const std::string& text) {
    rapidjson::StringBuffer buffer;
    Copier copier(buffer);
    rapidjson::StringStream stream(text.c_str());
    constexpr unsigned options = rapidjson::kParseNumbersAsStringsFlag | rapidjson::kParseIterativeFlag |
                                 rapidjson::kParseValidateEncodingFlag;
    if (rapidjson::Reader().Parse<options>(stream, copier).IsError()) return std::nullopt;
    return std::string(buffer.GetString(), buffer.GetSize()) + "\n";
}

std::string to_json(const sdbus::Variant& value) {
    rapidjson::StringBuffer buffer;
    LineWriter writer(buffer);
    Json(writer).write(value);
    return {buffer.GetString(), buffer.GetSize()};
}

std::string to_json(const WatchEvent& event) {
    rapidjson::StringBuffer buffer;
    LineWriter writer(buffer);
    Json json(writer);
    writer.StartObject();
    json.member("event", event_name(event.kind));
    json.member("received", event.received);
    switch (event.kind) {
        case Kind::daemon_awaited:
            json.member("reason", event.reason);
            break;
        case Kind::daemon_up:
        case Kind::daemon_down:
            break;
        case Kind::synchronized:
            json.member("sequence", event.sequence);
            json.member("containers", static_cast<std::uint64_t>(event.containers));
            break;
        default:
            write_arguments(json, event);
    }
    writer.EndObject();
    return {buffer.GetString(), buffer.GetSize()};
}

std::string to_json(const std::vector<TaskInfo>& tasks) {
    return block([&](auto json) { json.objects(tasks); });
}

std::string to_json(const TaskInfo& task) {
    return block([&](auto json) { json.object(task); });
}

std::string to_json(const std::vector<ImageInfo>& images) {
    std::vector<Properties> rows;
    rows.reserve(images.size());
    for (const ImageInfo& image : images) {
        rows.push_back({{"Id", sdbus::Variant(image.id)},
                        {"Names", sdbus::Variant(image.names)},
                        {"Size", sdbus::Variant(image.size)},
                        {"CreatedAt", sdbus::Variant(image.created_at)}});
    }
    return block([&](auto json) { json.write(rows); });
}

std::string to_json(const TaskEvent& event) {
    rapidjson::StringBuffer buffer;
    LineWriter writer(buffer);
    Json json(writer);
    writer.StartObject();
    json.member("arn", event.arn);
    if (!event.container.empty()) json.member("container", event.container);
    json.member("status", event.status);
    if (event.container.empty()) json.member("reason", event.reason);
    json.member("path", event.path);
    json.member("sequence", event.sequence);
    json.member("details", event.details);
    writer.EndObject();
    return {buffer.GetString(), buffer.GetSize()};
}

}  // namespace shorewatch::ctl
