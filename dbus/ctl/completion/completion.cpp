#include "dbus/ctl/completion/completion.h"

#include <algorithm>
#include <map>
#include <optional>
#include <string_view>

#include "dbus/ctl/completion/names.h"
#include "engines/support/text.h"

namespace shorewatch::ctl {

namespace {

constexpr std::string_view usual_signals[] = {"HUP",  "INT",  "QUIT", "KILL", "USR1",
                                              "USR2", "TERM", "CONT", "STOP"};

bool is_hidden(const CLI::Option& option) {
    return option.get_group().empty();
}

bool takes_value(const CLI::Option& option) {
    return option.get_items_expected_max() > 0;
}

// As --help has it, without what is said of its values: "NAME", "WHEN".
std::string type_of(const CLI::Option& option) {
    const std::string type = option.get_type_name();
    // "SOURCE:PATH[:ro]" is one that we don't know anyway.
    return type.substr(0, type.find(':'));
}

// Of "WHEN:{auto,always,never}", what is in the braces.
std::vector<std::string> members_of(const CLI::Option& option) {
    const std::string type = option.get_type_name();
    const std::size_t begin = type.find(":{");
    const std::size_t end = type.find('}', begin);
    if (begin == std::string::npos || end == std::string::npos) return {};
    return CLI::detail::split(type.substr(begin + 2, end - begin - 2), ',');
}

// Reads a command line as far as it goes, without complaint.
class Reader {
  public:
    explicit Reader(const CLI::App& app) : app_(app), command_(&app) {}

    void take(const std::string& word) {
        if (value_of_ != nullptr) return take_value(word);
        if (options_over_ || word.size() < 2 || word[0] != '-') return take_word(word);
        if (word == "--") {
            options_over_ = true;
        } else if (word[1] == '-') {
            take_long(word);
        } else {
            take_short(word);
        }
    }

    [[nodiscard]] std::string candidates(const std::string& unfinished) const {
        if (value_of_ != nullptr) return values(*value_of_, "");
        if (!options_over_ && unfinished.starts_with("--")) {
            const std::size_t equals = unfinished.find('=');
            if (equals == std::string::npos) return options();
            const CLI::Option* const option = find_long(unfinished.substr(2, equals - 2));
            return option == nullptr ? "words\n" : values(*option, unfinished.substr(0, equals + 1));
        }
        if (!options_over_ && unfinished.starts_with('-')) return options();
        if (arguments_ == 0 && !options_over_ && has_subcommands()) return subcommands();
        const CLI::Option* const next = next_argument();
        return next == nullptr ? "words\n" : values(*next, "");
    }

  private:
    void take_value(const std::string& word) {
        if (value_of_->check_name("--host")) host_ = word;
        value_of_ = nullptr;
    }

    void take_word(const std::string& word) {
        const CLI::App* const command = arguments_ == 0 && !options_over_ ? subcommand(word) : nullptr;
        if (command == nullptr) {
            ++arguments_;
        } else {
            command_ = command;
        }
    }

    void take_long(const std::string& word) {
        const std::size_t equals = word.find('=');
        const CLI::Option* const option =
            find_long(word.substr(2, equals == std::string::npos ? equals : equals - 2));
        if (option == nullptr) return;
        // That of ns, run and exec is another one.
        if (option == app_.get_option_no_throw("--user")) user_ = true;
        if (takes_value(*option) && equals == std::string::npos) value_of_ = option;
        if (option->check_name("--host") && equals != std::string::npos) host_ = word.substr(equals + 1);
    }

    // "-it", "-eFOO=1", "-e" "FOO=1"
    void take_short(const std::string& word) {
        for (std::size_t i = 1; i < word.size(); ++i) {
            const CLI::Option* const option = find_short(word.substr(i, 1));
            if (option == nullptr || !takes_value(*option)) continue;
            if (i + 1 == word.size()) {
                value_of_ = option;
            } else if (option->check_name("--host")) {
                host_ = word.substr(i + 1);
            }
            return;
        }
    }

    [[nodiscard]] bool has_subcommands() const { return !command_->get_subcommands({}).empty(); }

    [[nodiscard]] const CLI::App* subcommand(const std::string& name) const {
        for (const CLI::App* const one : command_->get_subcommands({})) {
            if (one->get_name() == name) return one;
        }
        return nullptr;
    }

    // Options of a command may stand after its subcommands' names, too.
    template <typename Visit>
    void visit_options(const Visit& visit) const {
        for (const CLI::App* at = command_; at != nullptr; at = at->get_parent()) {
            for (const CLI::Option* const option : at->get_options({})) {
                if (!is_hidden(*option) && option->nonpositional()) visit(*option);
            }
        }
    }

    [[nodiscard]] const CLI::Option* find_long(const std::string& name) const {
        const CLI::Option* found = nullptr;
        visit_options([&](const CLI::Option& option) {
            if (found == nullptr && option.check_lname(name)) found = &option;
        });
        return found;
    }

    [[nodiscard]] const CLI::Option* find_short(const std::string& name) const {
        const CLI::Option* found = nullptr;
        visit_options([&](const CLI::Option& option) {
            if (found == nullptr && option.check_sname(name)) found = &option;
        });
        return found;
    }

    [[nodiscard]] const CLI::Option* next_argument() const {
        std::vector<const CLI::Option*> all;
        for (const CLI::Option* const option : command_->get_options({})) {
            if (option->get_positional()) all.push_back(option);
        }
        if (arguments_ < all.size()) return all[arguments_];
        const bool repeats = !all.empty() && all.back()->get_items_expected_max() > 1;
        return repeats ? all.back() : nullptr;
    }

    [[nodiscard]] std::string subcommands() const {
        std::string lines = "words\n";
        for (const CLI::App* const one : command_->get_subcommands({}))
            lines.append(one->get_name()).append("\t").append(one->get_description()).append("\n");
        return lines;
    }

    [[nodiscard]] std::string options() const {
        std::map<std::string, std::string>
            found;  // the command's own go before its parents' of the same name
        visit_options([&](const CLI::Option& option) {
            for (const std::string& name : option.get_lnames())
                found.emplace("--" + name, option.get_description());
            if (!option.get_lnames().empty()) return;
            for (const std::string& name : option.get_snames())
                found.emplace("-" + name, option.get_description());
        });
        std::string lines = "words\n";
        for (const auto& [name, about] : found)
            lines.append(name).append("\t").append(about).append("\n");
        return lines;
    }

    [[nodiscard]] std::string values(const CLI::Option& option, const std::string& before) const {
        static const std::map<std::string, Named> named = {
            {"NAME", Named::containers}, {"ENGINE", Named::engines},     {"PROJECT", Named::projects},
            {"POD", Named::pods},        {"ID", Named::made_containers}, {"TASK", Named::tasks}};
        static const std::map<std::string, std::string> files = {
            {"FILE|-", "files\n"}, {"PATH", "files\n"}, {"DIR", "folders\n"}, {"COMMAND", "commands\n"}};
        const std::string type = type_of(option);
        if (const auto found = files.find(type); found != files.end()) return found->second;
        std::string lines = "words\n";
        for (const std::string& member : members_of(option))
            lines.append(before).append(member).append("\n");
        if (type == "SIGNAL") {
            for (const std::string_view signal : usual_signals)
                lines.append(before).append(signal).append("\n");
        }
        // What run names is new.
        const auto found = named.find(type);
        const bool is_new = command_->get_name() == "run" && type != "ENGINE";
        if (found == named.end() || is_new || !host_.empty()) return lines;
        const BusChoice bus{user_ ? BusKind::user : BusKind::system, {}, false};
        for (const Candidate& one : names_on_bus(bus, found->second)) {
            // It would be taken for an option.
            if (one.word.starts_with('-') && !options_over_ && before.empty()) continue;
            lines.append(before).append(one.word).append("\t").append(one.about).append("\n");
        }
        return lines;
    }

    const CLI::App& app_;
    const CLI::App* command_;
    const CLI::Option* value_of_ = nullptr;  // whose value the next word is
    std::size_t arguments_ = 0;              // of the command
    bool options_over_ = false;
    bool user_ = false;
    std::string host_;
};

}  // namespace

std::string completion(const CLI::App& app, const std::vector<std::string>& words) {
    Reader reader(app);
    for (std::size_t i = 0; i + 1 < words.size(); ++i)
        reader.take(words[i]);
    return reader.candidates(words.empty() ? std::string() : words.back());
}

}  // namespace shorewatch::ctl
