#include "dbus/ctl/columns.h"

#include <algorithm>

#include <locale.h>  // newlocale and uselocale, which <clocale> does not promise
#include <wchar.h>

namespace shorewatch::ctl {

namespace {

// mbrtowc() and wcwidth() go by the thread's locale: this one while it lives, whatever the user's is.
class Utf8Locale {
  public:
    Utf8Locale() : locale_(newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr)) {
        if (locale_ != nullptr) before_ = uselocale(locale_);
    }
    ~Utf8Locale() {
        if (locale_ == nullptr) return;
        uselocale(before_);
        freelocale(locale_);
    }
    Utf8Locale(const Utf8Locale&) = delete;
    Utf8Locale& operator=(const Utf8Locale&) = delete;

  private:
    locale_t locale_;
    locale_t before_ = nullptr;
};

struct Character {
    std::size_t bytes = 1;
    std::size_t columns = 1;
};

// The first character of text, which is not empty. Needs a Utf8Locale.
Character first_character(std::string_view text) {
    wchar_t wide = 0;
    std::mbstate_t state{};
    // NOLINTNEXTLINE(concurrency-mt-unsafe): with a state of our own it is safe
    const std::size_t bytes = mbrtowc(&wide, text.data(), text.size(), &state);
    if (bytes == 0 || bytes > text.size()) return {};  // NUL, or not UTF-8
    const int columns = wcwidth(wide);
    return {bytes, columns < 0 ? 1 : static_cast<std::size_t>(columns)};
}

bool is_ascii(std::string_view text) {
    return std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

}  // namespace

std::size_t columns_of(std::string_view text) {
    if (is_ascii(text)) return text.size();
    const Utf8Locale locale;
    std::size_t columns = 0;
    while (!text.empty()) {
        const Character next = first_character(text);
        columns += next.columns;
        text.remove_prefix(next.bytes);
    }
    return columns;
}

std::string cut_to(std::string_view text, std::size_t width, bool unicode) {
    if (columns_of(text) <= width) return std::string(text);
    const std::string_view ellipsis = unicode ? "…" : "...";
    const std::size_t ellipsis_width = unicode ? 1 : 3;
    if (width < ellipsis_width) return std::string(width, '.');
    const Utf8Locale locale;
    const std::size_t room = width - ellipsis_width;
    std::size_t columns = 0;
    std::size_t bytes = 0;
    while (bytes < text.size()) {
        const Character next = first_character(text.substr(bytes));
        if (columns + next.columns > room) break;
        columns += next.columns;
        bytes += next.bytes;
    }
    return std::string(text.substr(0, bytes)).append(ellipsis);
}

std::string padded(std::string_view text, std::size_t width, bool right) {
    const std::size_t columns = columns_of(text);
    const std::string spaces(width > columns ? width - columns : 0, ' ');
    return right ? spaces + std::string(text) : std::string(text) + spaces;
}

}  // namespace shorewatch::ctl
