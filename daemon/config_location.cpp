#include "daemon/config_location.h"

#include "daemon/configuration.h"
#include "engines/support/text.h"

namespace shorewatch::config {

std::string Location::to_string() const {
    return printable(file) + ":" + std::to_string(line) + ":" + std::to_string(column);
}

void reject(const Location& where, std::string_view wrong, std::string_view expected) {
    throw ConfigurationError(where.to_string() + ": " + std::string(wrong) + "; expected " +
                             std::string(expected));
}

std::string in_quotes(std::string_view text) {
    constexpr std::size_t longest = 100;
    if (text.size() <= longest) return "'" + printable(text) + "'";
    std::size_t cut = longest;
    while (cut > 0 && (static_cast<unsigned char>(text[cut]) & 0xC0U) == 0x80U)
        --cut;  // not inside a character
    return "'" + printable(text.substr(0, cut)) + "…'";
}

}  // namespace shorewatch::config
