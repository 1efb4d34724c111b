#include "engines/rest/deployment_decode.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <limits>
#include <map>
#include <tuple>
#include <utility>

#include "engines/http/json.h"
#include "engines/http/json_writer.h"
#include "engines/rest/decode.h"
#include "engines/support/text.h"

namespace shorewatch::rest {

namespace {

using json::Value;
using State = DeployedContainer::State;

// As decode.cpp has it.
constexpr std::size_t most_containers = 100'000;

// RFC 4648's alphabet for URLs, padded: Go's base64.URLEncoding, which both decode it with.
std::string base64_url(std::string_view bytes) {
    constexpr std::string_view digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    std::string text;
    for (std::size_t at = 0; at < bytes.size(); at += 3) {
        const std::string_view group = bytes.substr(at, 3);
        unsigned bits = 0;
        for (std::size_t i = 0; i < 3; ++i)
            bits = bits << 8U | (i < group.size() ? static_cast<unsigned char>(group[i]) : 0U);
        for (std::size_t i = 0; i < 4; ++i)
            text += i <= group.size() ? digits[bits >> (18U - 6U * i) & 0x3FU] : '=';
    }
    return text;
}

// By the words of both engines. Podman's "initialized" has a process, but none of the user's.
State state_from(std::string_view status) {
    constexpr std::array<std::string_view, 3> unborn{"created", "configured", "initialized"};
    constexpr std::array<std::string_view, 4> alive{"running", "paused", "restarting", "stopping"};
    if (std::ranges::find(unborn, status) != unborn.end()) return State::created;
    return std::ranges::find(alive, status) != alive.end() ? State::running : State::stopped;
}

// Labels are ours to compare: kept to the byte, but for what is no UTF-8.
StringPairs labels_in(const Value* object) {
    StringPairs labels;
    for (const auto& [key, value] : label_entries(object))
        labels.emplace_back(valid_utf8(key), valid_utf8(value));
    return labels;
}

std::string without_slash(std::string name) {
    if (name.starts_with('/')) name.erase(0, 1);
    return name;
}

// Docker's other names are those that it is linked by: "/parent/alias".
std::string own_name(const Value& entry) {
    const Value* names = json::find(entry, {"Names"});
    if (names == nullptr || !names->IsArray()) return {};
    for (const Value& name : names->GetArray()) {
        if (!name.IsString()) continue;
        std::string text = without_slash(valid_utf8(json::raw_text(name), longest_name));
        if (text.find('/') == std::string::npos) return text;
    }
    return {};
}

// "80/tcp": [{"HostIp": "0.0.0.0", "HostPort": "32768"}, …], the same port once for each of IPv4 and IPv6.
void add_ports(std::vector<PortMapping>& ports, std::string_view name, const Value& bindings) {
    const std::size_t slash = name.find('/');
    const auto inside = number_in<std::uint16_t>(name.substr(0, slash));
    const std::string_view protocol = slash == std::string_view::npos ? "tcp" : name.substr(slash + 1);
    if (!inside || !bindings.IsArray() || (protocol != "tcp" && protocol != "udp")) return;
    for (const Value& binding : bindings.GetArray()) {
        const auto outside = number_in<std::uint16_t>(json::text_at(binding, {"HostPort"}));
        if (!outside) continue;
        const PortMapping mapping{
            *inside, *outside, protocol == "udp" ? PortMapping::Protocol::udp : PortMapping::Protocol::tcp};
        if (std::ranges::find(ports, mapping) == ports.end()) ports.push_back(mapping);
    }
}

std::vector<PortMapping> ports_in(const Value& root) {
    constexpr std::size_t most_ports = 4096;
    std::vector<PortMapping> ports;
    const Value* object = json::find(root, {"NetworkSettings", "Ports"});
    if (object == nullptr || !object->IsObject()) return ports;
    for (const auto& [name, bindings] : object->GetObject()) {
        if (ports.size() >= most_ports) break;
        add_ports(ports, json::raw_text(name), bindings);
    }
    return ports;
}

// What is told of images, as far as it is bounded.
struct ImageTotals {
    std::size_t names = 0;
    std::size_t bytes = 0;
};

// Podman has null for an image without names, old Docker servers "<none>:<none>".
void add_image_names(std::vector<std::string>& names, const Value* tags, ImageTotals& totals) {
    if (tags == nullptr || !tags->IsArray()) return;
    for (const Value& tag : tags->GetArray()) {
        if (!tag.IsString()) continue;
        const std::string_view raw = json::raw_text(tag);
        if (raw.empty() || raw.size() > longest_name || raw == "<none>:<none>") continue;
        names.push_back(valid_utf8(raw, longest_name));
        totals.bytes += names.back().size();
        if (++totals.names > EngineDeployment::most_image_names ||
            totals.bytes > EngineDeployment::longest_image_names)
            throw json::Malformed("the images have more names than can be told");
    }
}

// Docker's begin with the kind of digest that they are.
std::string image_id(const Value& entry) {
    constexpr std::string_view digest = "sha256:";
    std::string id = sane_id(entry, {"Id"});
    if (id.starts_with(digest)) id.erase(0, digest.size());
    return id;
}

void sort_images(std::vector<DeployedImage>& images) {
    for (DeployedImage& image : images) {
        std::ranges::sort(image.names);
        const auto repeated = std::ranges::unique(image.names);
        image.names.erase(repeated.begin(), repeated.end());
    }
    std::ranges::sort(images, [](const DeployedImage& one, const DeployedImage& other) {
        return std::forward_as_tuple(one.names.empty(), one.names, one.id) <
               std::forward_as_tuple(other.names.empty(), other.names, other.id);
    });
}

}  // namespace

std::string registry_auth(const RegistryCredentials& credentials) {
    json::Writer writer;
    writer.begin_object();
    writer.member("username", credentials.username);
    writer.member("password", credentials.password);
    writer.end_object();
    return base64_url(writer.written());
}

std::string pull_complaint(std::string json) {
    const json::Document document(std::move(json));
    std::string words = json::text_at(document.root(), {"errorDetail", "message"});
    return words.empty() ? json::text_at(document.root(), {"error"}) : words;
}

std::string decode_created(std::string json) {
    const json::Document document(std::move(json));
    std::string id = sane_id(document.root(), {"Id"});
    if (id.empty()) throw json::Malformed("the container made has no usable id");
    return id;
}

DeployedContainer decode_deployed(std::string json) {
    const json::Document document(std::move(json));
    const Value& root = document.root();
    DeployedContainer container;
    container.id = sane_id(root, {"Id"});
    if (container.id.empty()) throw json::Malformed("the container described has no usable id");
    const Value* state = json::find(root, {"State"});
    if (state == nullptr || !state->IsObject()) throw json::Malformed("the container described has no state");
    container.name = without_slash(json::text_at(root, {"Name"}));
    container.labels = labels_in(json::find(root, {"Config", "Labels"}));
    container.state = state_from(json::text_at(*state, {"Status"}));
    container.started = time_at(*state, {"StartedAt"});
    container.error = printable(json::text_at(*state, {"Error"}));
    if (container.state == State::running) container.ports = ports_in(root);
    if (container.state != State::stopped) return container;
    const auto code = json::integer_at(*state, {"ExitCode"});
    // Podman's word for unknown is -1. One that was given up before it ever ran has no code of its own.
    if (code && *code >= 0 && *code <= std::numeric_limits<int>::max())
        container.exit_code = static_cast<int>(*code);
    container.finished = time_at(*state, {"FinishedAt"});
    container.oom_killed = json::flag_at(*state, {"OOMKilled"});
    return container;
}

std::string decode_address(std::string json) {
    const json::Document document(std::move(json));
    const Value& root = document.root();
    if (std::string address = json::text_at(root, {"NetworkSettings", "IPAddress"}); !address.empty())
        return address;
    const Value* networks = json::find(root, {"NetworkSettings", "Networks"});
    if (networks == nullptr || !networks->IsObject()) return {};
    for (const auto& [name, network] : networks->GetObject()) {
        if (std::string address = json::text_at(network, {"IPAddress"}); !address.empty()) return address;
    }
    return {};
}

std::vector<DeployedContainer> decode_deployed_list(std::string json) {
    const json::Document document(std::move(json));
    const Value& root = document.root();
    if (!root.IsArray()) throw json::Malformed("the list of containers is no JSON array");
    if (root.Size() > most_containers) {
        throw json::Malformed("the list is of more than " + std::to_string(most_containers) + " containers");
    }
    std::vector<DeployedContainer> list;
    for (const Value& entry : root.GetArray()) {
        DeployedContainer container;
        container.id = sane_id(entry, {"Id"});
        if (container.id.empty()) continue;
        container.name = own_name(entry);
        container.labels = labels_in(json::find(entry, {"Labels"}));
        container.state = state_from(json::text_at(entry, {"State"}));
        list.push_back(std::move(container));
    }
    return list;
}

std::vector<DeployedImage> decode_images(std::string json) {
    const json::Document document(std::move(json));
    const Value& root = document.root();
    if (!root.IsArray()) throw json::Malformed("the list of images is no JSON array");
    if (root.Size() > EngineDeployment::most_images) {
        throw json::Malformed("the list is of more than " + std::to_string(EngineDeployment::most_images) +
                              " images");
    }
    ImageTotals totals;
    std::map<std::string, DeployedImage> by_id;
    for (const Value& entry : root.GetArray()) {
        std::string id = image_id(entry);
        if (id.empty()) continue;
        const auto [found, is_new] = by_id.try_emplace(std::move(id));
        DeployedImage& image = found->second;
        add_image_names(image.names, json::find(entry, {"RepoTags"}), totals);
        if (!is_new) continue;
        image.id = found->first;
        image.size = static_cast<std::uint64_t>(
            std::max<std::int64_t>(json::integer_at(entry, {"Size"}).value_or(0), 0));
        image.created = from_unix_seconds(json::integer_at(entry, {"Created"}).value_or(0));
    }
    std::vector<DeployedImage> images;
    images.reserve(by_id.size());
    for (auto& [id, image] : by_id)
        images.push_back(std::move(image));
    sort_images(images);
    return images;
}

std::string removal_complaint(std::string json) {
    if (json.empty()) return {};
    const json::Document document(std::move(json));
    if (!document.root().IsArray()) return {};
    for (const Value& report : document.root().GetArray()) {
        if (std::string words = json::text_at(report, {"Err"}); !words.empty()) return words;
    }
    return {};
}

}  // namespace shorewatch::rest
