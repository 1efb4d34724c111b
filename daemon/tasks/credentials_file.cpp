#include "daemon/tasks/credentials_file.h"

#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string_view>
#include <utility>

#include "daemon/tasks/definition_fields.h"
#include "daemon/tasks/small_file.h"
#include "engines/support/text.h"

namespace shorewatch {

namespace {

constexpr std::size_t largest_file = std::size_t{1024} * 1024;

std::optional<std::uint32_t> digit_of(char character) {
    constexpr std::string_view digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const std::size_t at = digits.find(character);
    if (at == std::string_view::npos) return std::nullopt;
    return static_cast<std::uint32_t>(at);
}

// Nothing: it is no base64.
std::optional<std::string> decode_base64(std::string_view text) {
    while (text.ends_with('='))
        text.remove_suffix(1);
    std::string decoded;
    std::uint32_t bits = 0;
    int held = 0;
    for (const char character : text) {
        const auto digit = digit_of(character);
        if (!digit) return std::nullopt;
        bits = ((bits << 6U) | *digit) & 0xffffU;
        held += 6;
        if (held < 8) continue;
        held -= 8;
        decoded += static_cast<char>((bits >> static_cast<unsigned>(held)) & 0xffU);
    }
    return decoded;
}

// "https://index.docker.io/v1/" is how Docker calls its own.
std::string registry_called(std::string_view key) {
    for (const std::string_view scheme : {"https://", "http://"}) {
        if (key.starts_with(scheme)) key.remove_prefix(scheme.size());
    }
    const std::string_view host = key.substr(0, key.find('/'));
    const bool is_dockers = host == "index.docker.io" || host == "registry-1.docker.io";
    return is_dockers ? "docker.io" : std::string(host);
}

// Somebody's mistake, or one of Docker's other entries: there is no image whose registry it could be.
bool is_registry(const std::string& name) {
    return !name.empty() && printable(valid_utf8(name)) == name;
}

std::optional<RegistryCredentials> credentials_in(const PlacedValue& entry) {
    ObjectReader fields(entry, "credentials");
    const auto username = fields.find("username");
    const auto password = fields.find("password");
    if (username && password) return RegistryCredentials{username->text(), password->text()};
    const auto encoded = fields.find("auth");
    if (!encoded || encoded->text_or_empty().empty()) return std::nullopt;
    const auto decoded = decode_base64(encoded->text());
    const std::size_t colon = decoded ? decoded->find(':') : std::string::npos;
    if (colon == std::string::npos) encoded->fail("is not the base64 of a name, ':' and a password");
    // They are sent as JSON, which would change any other text.
    if (valid_utf8(*decoded) != *decoded) encoded->fail("is the base64 of what is no UTF-8 without NUL");
    return RegistryCredentials{decoded->substr(0, colon), decoded->substr(colon + 1)};
}

}  // namespace

CredentialsByRegistry parse_credentials(const std::string& text) {
    CredentialsByRegistry credentials;
    try {
        const json::Document document(text, {.depth = 32, .values = 100'000});
        ObjectReader reader(PlacedValue(document.root(), "$"), "a file of credentials");
        const PlacedValue auths = reader.get("auths");
        const ObjectReader names(auths, "auths");
        for (const auto& member : auths.value().GetObject()) {
            const std::string key(json::raw_text(member.name));
            const PlacedValue entry(member.value, names.path_of(key));
            auto one = credentials_in(entry);
            if (std::string registry = registry_called(key); one && is_registry(registry))
                credentials.insert_or_assign(std::move(registry), std::move(*one));
        }
    } catch (const json::Malformed& error) {
        throw InvalidDefinition("$", error.what());
    }
    return credentials;
}

CredentialsByRegistry read_credentials_file(const std::filesystem::path& file) {
    if (file.empty()) return {};
    const auto text = read_small_file(file, largest_file);
    if (!text) throw std::runtime_error(printable(file.native()) + ": there is no such file");
    try {
        return parse_credentials(*text);
    } catch (const InvalidDefinition& error) {
        throw std::runtime_error(printable(file.native()) + ": " + error.path() + " " + error.what() +
                                 "; expected a file as Docker's config.json");
    }
}

}  // namespace shorewatch
