// toml++ limits how deep values nest (256), but not the tables that the dots of a key make: a key of some
// 10,000 dots overflows the stack when its tables are destroyed (seen with 3.3). So its text is looked
// through first.
#include "daemon/config_nesting.h"

namespace shorewatch::config {

namespace {

constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";

class NestingScanner {
  public:
    explicit NestingScanner(std::string_view text) : text_(text) {
        if (text_.starts_with(byte_order_mark)) text_.remove_prefix(byte_order_mark.size());
    }

    std::optional<TextPosition> scan() {
        while (at_ < text_.size()) {
            const std::size_t here = at_;
            step();
            if (brackets_ > deepest_nesting || dots_ > deepest_nesting) return position(here);
        }
        return std::nullopt;
    }

  private:
    void step() {
        const char c = text_[at_];
        if (c == '#') return skip_comment();
        if (c == '"' || c == '\'') return skip_string(c);
        ++at_;
        switch (c) {
            case '.':
                ++dots_;
                break;
            case '[':
            case '{':
                ++brackets_;
                dots_ = 0;
                break;
            case ']':
            case '}':
                if (brackets_ > 0) --brackets_;
                dots_ = 0;
                break;
            case '=':
            case ',':
            case '\n':
                dots_ = 0;
                break;
            default:
                break;
        }
    }

    void skip_comment() {
        while (at_ < text_.size() && text_[at_] != '\n')
            ++at_;
    }

    // Escapes are known in "…" and """…""" alone.
    void skip_string(char quote) {
        const std::size_t opening = quotes(quote, 3);
        const bool multi_line = opening == 3;
        at_ += multi_line ? 3 : 1;
        while (at_ < text_.size()) {
            const char c = text_[at_];
            if (c == '\\' && quote == '"') {
                at_ += 2;
            } else if (c == '\n' && !multi_line) {
                return;  // an error in TOML
            } else if (c != quote) {
                ++at_;
            } else if (!multi_line) {
                ++at_;
                return;
            } else if (const std::size_t closing = quotes(quote, 5); closing >= 3) {
                at_ += closing;  // one or two quotes may stand just before the closing three
                return;
            } else {
                at_ += closing;
            }
        }
    }

    // How many quotes stand here, of at most `most`.
    [[nodiscard]] std::size_t quotes(char quote, std::size_t most) const {
        std::size_t count = 0;
        while (count < most && at_ + count < text_.size() && text_[at_ + count] == quote)
            ++count;
        return count;
    }

    [[nodiscard]] TextPosition position(std::size_t offset) const {
        TextPosition position;
        for (const char c : text_.substr(0, offset)) {
            if (c == '\n') {
                ++position.line;
                position.column = 1;
            } else if ((static_cast<unsigned char>(c) & 0xC0U) != 0x80U) {
                ++position.column;
            }
        }
        return position;
    }

    std::string_view text_;
    std::size_t at_ = 0;
    std::size_t brackets_ = 0;
    std::size_t dots_ = 0;
};

}  // namespace

std::optional<TextPosition> too_deep(std::string_view text) {
    return NestingScanner(text).scan();
}

}  // namespace shorewatch::config
