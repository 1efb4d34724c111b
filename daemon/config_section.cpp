#include "daemon/config_section.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <stdexcept>
#include <utility>
#include <vector>

#include <pwd.h>
#include <toml++/toml.h>

#include "daemon/config_nesting.h"
#include "daemon/configuration.h"
#include "engines/endpoint.h"
#include "engines/support/text.h"

namespace shorewatch::config {

namespace {

constexpr std::size_t longest_name = 64;
constexpr std::size_t longest_endpoint = 512;
constexpr std::size_t most_namespaces = 100;
constexpr std::size_t longest_path = 4095;  // PATH_MAX, less its final NUL

// A key and its value, as they stand in the file.
struct Entry {
    const toml::key* key;
    const toml::node* value;
};

// A key that a table may have, and what takes its value.
template <typename Section>
struct KnownKey {
    std::string_view name;
    void (*take)(Section&, const Entry&);
};

Location location_of(const toml::source_region& region) {
    return {region.path ? *region.path : std::string(), region.begin.line, region.begin.column};
}

std::string_view kind_of(const toml::node& value) {
    switch (value.type()) {
        case toml::node_type::table:
            return "a table";
        case toml::node_type::array:
            return "an array";
        case toml::node_type::string:
            return "a string";
        case toml::node_type::integer:
            return "an integer";
        case toml::node_type::floating_point:
            return "a float";
        case toml::node_type::boolean:
            return "a boolean";
        case toml::node_type::date:
            return "a date";
        case toml::node_type::time:
            return "a time";
        case toml::node_type::date_time:
            return "a date and time";
        case toml::node_type::none:
            break;
    }
    return "nothing";
}

[[noreturn]] void reject_kind(const Entry& entry, std::string_view expected) {
    reject(location_of(entry.value->source()),
           in_quotes(entry.key->str()) + " is " + std::string(kind_of(*entry.value)), expected);
}

Located<std::string> string_in(const Entry& entry, std::string_view expected) {
    const auto* text = entry.value->as_string();
    if (text == nullptr) reject_kind(entry, expected);
    return {text->get(), location_of(entry.value->source())};
}

template <typename Section, std::size_t count>
std::string names_of(const std::array<KnownKey<Section>, count>& known) {
    std::string names;
    for (const auto& key : known)
        names += (names.empty() ? "'" : ", '") + std::string(key.name) + "'";
    return (count == 1 ? "" : "one of ") + names;
}

// Takes a table apart in the order of the file, so that of several errors the first is told.
template <typename Section, std::size_t count>
void take_keys(const toml::table& table, std::string_view where,
               const std::array<KnownKey<Section>, count>& known, Section& section) {
    std::vector<Entry> entries;
    for (const auto& [key, value] : table)
        entries.push_back({&key, &value});
    std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) {
        const auto& left = a.key->source().begin;
        const auto& right = b.key->source().begin;
        return std::pair(left.line, left.column) < std::pair(right.line, right.column);
    });
    for (const Entry& entry : entries) {
        const auto is_it = [&](const KnownKey<Section>& candidate) {
            return candidate.name == entry.key->str();
        };
        const auto found = std::find_if(known.begin(), known.end(), is_it);
        if (found == known.end()) {
            reject(location_of(entry.key->source()),
                   "unknown key " + in_quotes(entry.key->str()) + " in " + std::string(where),
                   names_of(known));
        }
        found->take(section, entry);
    }
}

bool is_alphanumeric(char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

bool is_name(std::string_view text) {
    const auto allowed = [](char c) { return is_alphanumeric(c) || c == '_' || c == '.' || c == '-'; };
    return !text.empty() && text.size() <= longest_name && is_alphanumeric(text.front()) &&
           std::all_of(text.begin(), text.end(), allowed);
}

void take_name(EngineSection& section, const Entry& entry) {
    constexpr std::string_view expected =
        "1 to 64 characters of A-Z, a-z, 0-9, '_', '.' and '-', the first a letter or digit";
    section.name = string_in(entry, "a string of " + std::string(expected));
    if (!is_name(section.name->value)) {
        reject(section.name->where, in_quotes(section.name->value) + " can't be the name of an engine",
               expected);
    }
}

void take_type(EngineSection& section, const Entry& entry) {
    section.type = string_in(entry, "a string, as in type = \"docker\"");
}

void take_endpoint(EngineSection& section, const Entry& entry) {
    section.endpoint = string_in(entry, "a string, as in endpoint = \"unix:///run/docker.sock\"");
    const auto& [text, where] = *section.endpoint;
    if (text.size() > longest_endpoint) reject(where, in_quotes(text) + " is too long", "at most 512 bytes");
    try {
        static_cast<void>(Endpoint::parse(text));
    } catch (const std::invalid_argument& error) {
        // Says what was expected itself.
        throw ConfigurationError(where.to_string() + ": " + error.what());
    }
}

// The id of a user by that name; none: there is no such user.
std::optional<std::uint32_t> user_named(const std::string& name) {
    std::vector<char> buffer(1024);
    passwd entry{};
    passwd* found = nullptr;
    int error = 0;
    while ((error = ::getpwnam_r(name.c_str(), &entry, buffer.data(), buffer.size(), &found)) == ERANGE)
        buffer.resize(2 * buffer.size());
    return error == 0 && found != nullptr ? std::optional(entry.pw_uid) : std::nullopt;
}

void take_user(EngineSection& section, const Entry& entry) {
    constexpr std::string_view expected = "the name of a user, or his number, as in user = \"alice\"";
    const auto [text, where] = string_in(entry, expected);
    std::uint32_t number = 0;
    const auto [stopped, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc{} || stopped != text.data() + text.size()) {
        if (text.empty() || text.size() > longest_name || text.find('\0') != std::string::npos)
            reject(where, in_quotes(text) + " is no name of a user", expected);
        const auto named = user_named(text);
        if (!named) reject(where, "there is no user " + in_quotes(text), expected);
        number = *named;
    }
    section.user = Located<std::uint32_t>{number, where};
}

bool flag_in(const Entry& entry) {
    const auto* flag = entry.value->as_boolean();
    if (flag == nullptr) reject_kind(entry, "true or false");
    return flag->get();
}

void take_enabled(EngineSection& section, const Entry& entry) {
    section.enabled = flag_in(entry);
}

std::string path_in(const Entry& entry, std::string_view what = "a PEM file") {
    const std::string expected = "the absolute path of " + std::string(what) + ", of at most 4095 bytes";
    Located<std::string> path = string_in(entry, "a string, " + expected);
    const std::string& text = path.value;
    if (!text.starts_with('/')) reject(path.where, in_quotes(text) + " is no absolute path", expected);
    if (text.find('\0') != std::string::npos) reject(path.where, in_quotes(text) + " holds a NUL", expected);
    if (text.size() > longest_path) reject(path.where, in_quotes(text) + " is too long", expected);
    return std::move(path.value);
}

constexpr std::array<KnownKey<TlsSection>, 3> tls_keys = {{
    {"ca", [](TlsSection& tls, const Entry& entry) { tls.ca = path_in(entry); }},
    {"certificate", [](TlsSection& tls, const Entry& entry) { tls.certificate = path_in(entry); }},
    {"key", [](TlsSection& tls, const Entry& entry) { tls.key = path_in(entry); }},
}};

void take_tls(EngineSection& section, const Entry& entry) {
    const auto* table = entry.value->as_table();
    if (table == nullptr) reject_kind(entry, "a table, as in tls = { ca = \"/etc/shorewatch/ca.pem\" }");
    TlsSection tls;
    take_keys(*table, "tls", tls_keys, tls);
    if (tls.certificate.has_value() != tls.key.has_value()) {
        const std::string_view present = tls.key ? "key" : "certificate";
        reject(location_of(table->find(present)->first.source()),
               in_quotes(present) + " without " + in_quotes(tls.key ? "certificate" : "key"),
               "both or neither");
    }
    section.tls = Located<TlsSection>{std::move(tls), location_of(entry.key->source())};
}

void take_namespaces(EngineSection& section, const Entry& entry) {
    constexpr std::string_view expected = "an array of names, as in namespaces = [\"default\", \"build\"]";
    const auto* array = entry.value->as_array();
    if (array == nullptr) reject_kind(entry, expected);
    std::vector<std::string> names;
    for (const toml::node& node : *array) {
        const Located<std::string> name = string_in({entry.key, &node}, expected);
        if (!is_containerd_name(name.value)) {
            reject(name.where, in_quotes(name.value) + " can't be the name of a namespace",
                   "1 to 76 letters and digits, with single '_', '.' and '-' between them");
        }
        if (std::find(names.begin(), names.end(), name.value) == names.end()) names.push_back(name.value);
    }
    if (names.size() > most_namespaces) {
        reject(location_of(entry.value->source()),
               "these are " + std::to_string(names.size()) + " namespaces",
               "at most " + std::to_string(most_namespaces));
    }
    section.namespaces =
        Located<std::vector<std::string>>{std::move(names), location_of(entry.key->source())};
}

constexpr std::array<KnownKey<EngineSection>, 7> engine_keys = {{
    {"name", take_name},
    {"type", take_type},
    {"endpoint", take_endpoint},
    {"user", take_user},
    {"enabled", take_enabled},
    {"tls", take_tls},
    {"namespaces", take_namespaces},
}};

void take_engines(FileSection& file, const Entry& entry) {
    constexpr std::string_view expected = "a table for each engine, under [[engine]]";
    const auto* engines = entry.value->as_array();
    if (engines == nullptr) reject_kind(entry, expected);
    for (const toml::node& engine : *engines) {
        const auto* table = engine.as_table();
        if (table == nullptr) reject_kind({entry.key, &engine}, expected);
        EngineSection section;
        section.where = location_of(table->source());
        take_keys(*table, "[[engine]]", engine_keys, section);
        file.engines.push_back(std::move(section));
    }
}

void take_discover(FileSection& file, const Entry& entry) {
    const auto* flag = entry.value->as_boolean();
    const auto* text = entry.value->as_string();
    if (flag != nullptr) {
        file.discover = flag->get() ? Discover::outside : Discover::nothing;
    } else if (text != nullptr && text->get() == "deep") {
        file.discover = Discover::deep;
    } else if (text != nullptr) {
        reject(location_of(entry.value->source()), in_quotes(text->get()) + " is not known",
               R"(true, false or "deep")");
    } else {
        reject_kind(entry, R"(true, false or "deep")");
    }
}

std::string containerd_name_in(const Entry& entry, std::string_view what) {
    const Located<std::string> name = string_in(entry, "a string, the name of a " + std::string(what));
    if (is_containerd_name(name.value)) return name.value;
    reject(name.where, in_quotes(name.value) + " can't be the name of a " + std::string(what),
           "1 to 76 letters and digits, with single '_', '.' and '-' between them");
}

std::size_t count_in(const Entry& entry) {
    constexpr std::int64_t most = 10'000;
    constexpr std::string_view expected = "an integer, 0 to 10000";
    const auto* number = entry.value->as_integer();
    if (number == nullptr) reject_kind(entry, expected);
    if (number->get() >= 0 && number->get() <= most) return static_cast<std::size_t>(number->get());
    reject(location_of(entry.value->source()),
           in_quotes(entry.key->str()) + " is " + std::to_string(number->get()), expected);
}

constexpr std::array<KnownKey<RuntimeSection>, 4> runtime_keys = {{
    {"enabled", [](RuntimeSection& runtime, const Entry& entry) { runtime.enabled = flag_in(entry); }},
    {"namespace", [](RuntimeSection& runtime,
                     const Entry& entry) { runtime.name_space = containerd_name_in(entry, "namespace"); }},
    {"snapshotter",
     [](RuntimeSection& runtime, const Entry& entry) {
         runtime.snapshotter = containerd_name_in(entry, "snapshotter");
     }},
    {"most_containers",
     [](RuntimeSection& runtime, const Entry& entry) { runtime.most_containers = count_in(entry); }},
}};

void take_runtime(FileSection& file, const Entry& entry) {
    const auto* table = entry.value->as_table();
    if (table == nullptr) reject_kind(entry, "a table, under [runtime]");
    take_keys(*table, "[runtime]", runtime_keys, file.runtime);
}

// "90s", "15m", "3h", "1d"; a year at most.
std::chrono::seconds duration_in(const Entry& entry) {
    constexpr std::string_view expected =
        "a string as in \"3h\": a number of at most a year, and s, m, h or d";
    const Located<std::string> text = string_in(entry, expected);
    const std::string& digits = text.value;
    std::uint32_t number = 0;
    const char* const end = digits.data() + digits.size();
    const auto [unit, error] = std::from_chars(digits.data(), end, number);
    if (error == std::errc{} && end - unit == 1) {
        using namespace std::chrono;
        const std::string_view units = "smhd";
        constexpr std::array<seconds, 4> lengths = {1s, 1min, 1h, 24h};
        const std::size_t place = units.find(*unit);
        constexpr seconds longest = 24h * 366;
        if (place != units.npos && number <= longest / lengths.at(place)) return number * lengths.at(place);
    }
    reject(text.where, in_quotes(digits) + " is no duration", expected);
}

void take_tasks_engine(TasksSection& tasks, const Entry& entry) {
    const Located<std::string> name = string_in(entry, "a string, the name of an engine");
    if (!is_name(name.value))
        reject(name.where, in_quotes(name.value) + " can't be the name of an engine",
               "one as of an [[engine]]");
    tasks.engine = name.value;
}

constexpr std::array<KnownKey<TasksSection>, 5> tasks_keys = {{
    {"enabled", [](TasksSection& tasks, const Entry& entry) { tasks.enabled = flag_in(entry); }},
    {"engine", take_tasks_engine},
    {"folder", [](TasksSection& tasks, const Entry& entry) { tasks.folder = path_in(entry, "a folder"); }},
    {"credentials",
     [](TasksSection& tasks, const Entry& entry) { tasks.credentials = path_in(entry, "a file"); }},
    {"cleanup_after",
     [](TasksSection& tasks, const Entry& entry) { tasks.cleanup_after = duration_in(entry); }},
}};

void take_tasks(FileSection& file, const Entry& entry) {
    const auto* table = entry.value->as_table();
    if (table == nullptr) reject_kind(entry, "a table, under [tasks]");
    take_keys(*table, "[tasks]", tasks_keys, file.tasks);
}

constexpr std::array<KnownKey<FileSection>, 5> top_keys = {{
    {"discover", take_discover},
    {"discover_users", [](FileSection& file, const Entry& entry) { file.discover_users = flag_in(entry); }},
    {"engine", take_engines},
    {"runtime", take_runtime},
    {"tasks", take_tasks},
}};

toml::table parse_toml(std::string_view text, const std::string& file) {
    constexpr std::string_view expected = "TOML 1.0, see https://toml.io";
    if (const auto where = too_deep(text)) {
        reject({file, where->line, where->column}, "nested too deeply",
               "at most 16 brackets open at a time, and 16 dots in a key");
    }
    try {
        return toml::parse(text, file);
    } catch (const toml::parse_error& error) {
        const auto& where = error.source().begin;
        reject({file, where.line, where.column}, printable(error.description()), expected);
    }
}

}  // namespace

FileSection parse_file(std::string_view text, const std::string& file) {
    FileSection section;
    take_keys(parse_toml(text, file), "the configuration", top_keys, section);
    return section;
}

}  // namespace shorewatch::config
