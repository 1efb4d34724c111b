#include "engines/support/text.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>

namespace shorewatch {

namespace {

constexpr std::string_view replacement = "\xEF\xBF\xBD";

struct Decoded {
    char32_t code_point = 0;
    std::size_t length = 0;  // 0: the first byte is not the start of valid UTF-8.
};

std::size_t sequence_length(unsigned char lead) {
    if (lead < 0x80) return 1;
    if (lead >= 0xC2 && lead <= 0xDF) return 2;
    if (lead >= 0xE0 && lead <= 0xEF) return 3;
    if (lead >= 0xF0 && lead <= 0xF4) return 4;
    return 0;
}

Decoded decode(std::string_view text) {
    static constexpr std::array<unsigned char, 5> lead_bits{0, 0x7F, 0x1F, 0x0F, 0x07};
    static constexpr std::array<char32_t, 5> least{0, 0, 0x80, 0x800, 0x10000};
    const auto lead = static_cast<unsigned char>(text.front());
    const std::size_t length = sequence_length(lead);
    if (length == 0 || length > text.size()) return {};
    char32_t code_point = lead & lead_bits.at(length);
    for (std::size_t i = 1; i < length; ++i) {
        const auto byte = static_cast<unsigned char>(text[i]);
        if ((byte & 0xC0U) != 0x80) return {};
        code_point = (code_point << 6U) | (byte & 0x3FU);
    }
    const bool surrogate = code_point >= 0xD800 && code_point <= 0xDFFF;
    if (code_point < least.at(length) || code_point > 0x10FFFF || surrogate) return {};
    return {code_point, length};
}

// U+FDD0 to U+FDEF and the last two of each plane. D-Bus allows them; libsystemd sends no string that has
// one.
bool is_noncharacter(char32_t c) {
    return (c >= 0xFDD0 && c <= 0xFDEF) || (c & 0xFFFE) == 0xFFFE;
}

// Characters that move the cursor, end the line or reorder the rest of it, and noncharacters.
bool is_dangerous(char32_t c) {
    return is_noncharacter(c) || c < 0x20 || (c >= 0x7F && c < 0xA0) || c == 0x2028 || c == 0x2029 ||
           c == 0x061C || (c >= 0x200E && c <= 0x200F) || (c >= 0x202A && c <= 0x202E) ||
           (c >= 0x2066 && c <= 0x2069);
}

std::string escaped(char32_t c) {
    if (c == '\n') return "\\n";
    if (c == '\r') return "\\r";
    if (c == '\t') return "\\t";
    std::array<char, 16> buffer{};
    (void)std::snprintf(buffer.data(), buffer.size(), c <= 0xFF ? "\\x%02x" : "\\u{%04x}",
                        static_cast<unsigned>(c));
    return buffer.data();
}

}  // namespace

std::string valid_utf8(std::string_view text, std::size_t most) {
    std::string result;
    result.reserve(std::min(text.size(), most));
    while (!text.empty()) {
        const Decoded next = decode(text);
        const bool keep = next.length > 0 && next.code_point != 0 && !is_noncharacter(next.code_point);
        const std::size_t length = next.length > 0 ? next.length : 1;
        const std::string_view character = keep ? text.substr(0, length) : replacement;
        if (character.size() > most - result.size()) break;
        result += character;
        text.remove_prefix(length);
    }
    return result;
}

std::string printable(std::string_view text) {
    std::string result;
    result.reserve(text.size());
    while (!text.empty()) {
        const Decoded next = decode(text);
        if (next.length == 0) {
            result += escaped(static_cast<unsigned char>(text.front()));
            text.remove_prefix(1);
            continue;
        }
        if (is_dangerous(next.code_point)) {
            result += escaped(next.code_point);
        } else {
            result += text.substr(0, next.length);
        }
        text.remove_prefix(next.length);
    }
    return result;
}

bool is_containerd_name(std::string_view text) {
    const auto alphanumeric = [](char c) {
        return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
    };
    const auto separator = [](char c) { return c == '.' || c == '_' || c == '-'; };
    constexpr std::size_t longest = 76;
    if (text.empty() || text.size() > longest) return false;
    if (!alphanumeric(text.front()) || !alphanumeric(text.back())) return false;
    for (std::size_t i = 1; i < text.size(); ++i) {
        if (alphanumeric(text[i])) continue;
        if (!separator(text[i]) || separator(text[i - 1])) return false;
    }
    return true;
}

}  // namespace shorewatch
