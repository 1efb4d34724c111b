// Subscribers as docs/how-it-works.md wants them, on connections of their own, that check what they are told:
// the sequence has no gap, and Started and Exited alternate for each container.
//
// Usage: strict-subscriber ADDRESS CONNECTIONS [MICROSECONDS]
// MICROSECONDS: how long each signal keeps it. Prints "listening" when all have subscribed. When it is told
// to await a digest of what is alive (digest.h), it prints a line once all connections have come to it, and
// when it is told "now", at once:
//     {"connections": …, "sequence": …, "signals": …, "lists": …, "most_lists": …, "alive": …, "faults": […]}
#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <list>
#include <memory>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>
#include <sys/epoll.h>
#include <systemd/sd-bus.h>
#include <systemd/sd-event.h>
#include <unistd.h>

#include "tests/scale/digest.h"

namespace {

using shorewatch::scale::Digest;

constexpr const char* service = "org.shorewatch1";
constexpr const char* root = "/org/shorewatch1";
constexpr const char* manager = "org.shorewatch1.Manager";
constexpr std::size_t most_faults = 20;
// For a list of thousands, which as many ask for at once, on a machine that has other things to do; in µs.
constexpr std::uint64_t patience = 300'000'000;

struct Freed {
    void operator()(sd_bus* bus) const { sd_bus_flush_close_unref(bus); }
    void operator()(sd_event* event) const { sd_event_unref(event); }
};

int check(int result, const char* what) {
    if (result < 0) throw std::runtime_error(std::string(what) + ": " + std::strerror(-result));
    return result;
}

class Subscriber {
  public:
    Subscriber(const char* address, sd_event* loop, useconds_t work) : work_(work) {
        sd_bus* connection = nullptr;
        check(sd_bus_new(&connection), "make a connection");
        bus_.reset(connection);
        check(sd_bus_set_address(connection, address), "take the address");
        check(sd_bus_set_bus_client(connection, 1), "be a client");
        check(sd_bus_set_method_call_timeout(connection, patience), "be patient");
        check(sd_bus_start(connection), "connect");
        check(sd_bus_match_signal(connection, nullptr, service, root, manager, nullptr, on_signal, this),
              "subscribe");
        check(sd_bus_add_match(connection, nullptr,
                               "type='signal',sender='org.freedesktop.DBus',member='NameOwnerChanged',"
                               "arg0='org.shorewatch1'",
                               on_owner, this),
              "subscribe");
        check(sd_bus_attach_event(connection, loop, SD_EVENT_PRIORITY_NORMAL), "attach the connection");
    }
    Subscriber(const Subscriber&) = delete;
    Subscriber& operator=(const Subscriber&) = delete;

    [[nodiscard]] std::uint64_t digest() const { return digest_.value(); }
    [[nodiscard]] std::uint64_t sequence() const { return known_.value_or(0); }
    [[nodiscard]] std::uint64_t signals() const { return signals_; }
    [[nodiscard]] unsigned lists() const { return lists_; }
    [[nodiscard]] std::size_t alive() const { return alive_.size(); }
    [[nodiscard]] const std::vector<std::string>& faults() const { return faults_; }

  private:
    using Key = std::pair<std::string, std::string>;  // engine, id

    static int on_signal(sd_bus_message* message, void* self, sd_bus_error*) noexcept {
        return guarded([&] { static_cast<Subscriber*>(self)->take_signal(message); });
    }
    static int on_owner(sd_bus_message* message, void* self, sd_bus_error*) noexcept {
        return guarded([&] { static_cast<Subscriber*>(self)->take_owner(message); });
    }
    static int on_list(sd_bus_message* message, void* self, sd_bus_error*) noexcept {
        return guarded([&] { static_cast<Subscriber*>(self)->take_list(message); });
    }
    template <typename Take>
    static int guarded(const Take& take) noexcept {
        try {
            take();
            return 0;
        } catch (const std::exception& failure) {
            std::fprintf(stderr, "%s\n", failure.what());
            return -EINVAL;
        }
    }

    void take_signal(sd_bus_message* message) {
        if (work_ > 0) ::usleep(work_);
        // Until there is a list, all is of the past.
        if (!known_) return;
        if (sd_bus_message_has_signature(message, "ssssota{sv}") > 0) return take_container(message);
        const char *engine = nullptr, *state = nullptr, *path = nullptr;
        std::uint64_t sequence = 0;
        check(sd_bus_message_read(message, "ssot", &engine, &state, &path, &sequence), "read a signal");
        static_cast<void>(follows(sequence));
    }

    void take_container(sd_bus_message* message) {
        const char *engine = nullptr, *project = nullptr, *name = nullptr, *id = nullptr, *path = nullptr;
        std::uint64_t sequence = 0;
        check(sd_bus_message_read(message, "ssssot", &engine, &project, &name, &id, &path, &sequence),
              "read a signal");
        if (!follows(sequence)) return;
        const std::string member = sd_bus_message_get_member(message);
        Key key(engine, id);
        if (member == "ContainerStarted") {
            digest_.add(key.first, key.second);
            if (!alive_.insert(std::move(key)).second) fault("started twice: " + std::string(name));
        } else if (member == "ContainerExited") {
            digest_.remove(key.first, key.second);
            if (alive_.erase(key) == 0) fault("exited without a start: " + std::string(name));
        }
    }

    bool follows(std::uint64_t sequence) {
        if (sequence <= *known_ && !begun_) return false;
        if (sequence != *known_ + 1)
            fault(std::to_string(*known_) + " is followed by " + std::to_string(sequence));
        begun_ = true;
        known_ = sequence;
        ++signals_;
        return true;
    }

    void take_owner(sd_bus_message* message) {
        const char *name = nullptr, *before = nullptr, *after = nullptr;
        check(sd_bus_message_read(message, "sss", &name, &before, &after), "read who owns the name");
        known_.reset();
        begun_ = false;
        if (*after != '\0') list();
    }

    void list() {
        check(sd_bus_call_method_async(bus_.get(), nullptr, service, root, manager, "ListContainers", on_list,
                                       this, "a{sv}", 0),
              "list");
    }

    void take_list(sd_bus_message* message) {
        if (const sd_bus_error* error = sd_bus_message_get_error(message); error != nullptr) {
            std::fprintf(stderr, "no list: %s: %s\n", error->name, error->message);
            // Of an owner that has gone again the next is told.
            if (std::strcmp(error->name, SD_BUS_ERROR_TIMEOUT) == 0) list();
            return;
        }
        ++lists_;
        alive_.clear();
        digest_ = {};
        std::uint64_t sequence = 0;
        check(sd_bus_message_read(message, "t", &sequence), "read a list");
        check(sd_bus_message_enter_container(message, 'a', "(oa{sv})"), "read a list");
        while (check(sd_bus_message_enter_container(message, 'r', "oa{sv}"), "read a list") > 0) {
            const char* path = nullptr;
            check(sd_bus_message_read(message, "o", &path), "read a list");
            Key key(engine_of(path), id_in(message));
            digest_.add(key.first, key.second);
            alive_.insert(std::move(key));
            check(sd_bus_message_exit_container(message), "read a list");
        }
        known_ = sequence;
    }

    static std::string engine_of(const std::string& path) {
        const std::string before = std::string(root) + "/engines/";
        return path.substr(before.size(), path.find('/', before.size()) - before.size());
    }

    static std::string id_in(sd_bus_message* message) {
        std::string id;
        check(sd_bus_message_enter_container(message, 'a', "{sv}"), "read properties");
        while (check(sd_bus_message_enter_container(message, 'e', "sv"), "read properties") > 0) {
            const char *key = nullptr, *value = nullptr;
            check(sd_bus_message_read(message, "s", &key), "read properties");
            if (std::strcmp(key, "Id") == 0) {
                check(sd_bus_message_read(message, "v", "s", &value), "read an id");
                id = value;
            } else {
                check(sd_bus_message_skip(message, "v"), "read properties");
            }
            check(sd_bus_message_exit_container(message), "read properties");
        }
        check(sd_bus_message_exit_container(message), "read properties");
        return id;
    }

    void fault(std::string what) {
        if (faults_.size() < most_faults) faults_.push_back(std::move(what));
    }

    useconds_t work_;
    std::unique_ptr<sd_bus, Freed> bus_;
    std::optional<std::uint64_t> known_;  // the last sequence; none until there is a list
    bool begun_ = false;                  // has a signal come that the list does not include?
    std::set<Key> alive_;
    Digest digest_;
    std::uint64_t signals_ = 0;
    unsigned lists_ = 0;
    std::vector<std::string> faults_;
};

struct Program {
    std::list<Subscriber> subscribers;
    std::optional<std::uint64_t> awaited;
    std::string input;

    static int on_input(sd_event_source* source, int, std::uint32_t, void* data) {
        auto& self = *static_cast<Program*>(data);
        char bytes[256];
        const ssize_t count = ::read(STDIN_FILENO, bytes, sizeof bytes);
        if (count <= 0) return sd_event_exit(sd_event_source_get_event(source), 0);
        self.input.append(bytes, static_cast<std::size_t>(count));
        if (const std::size_t end = self.input.find('\n'); end != std::string::npos) {
            if (self.input.starts_with("now")) {
                self.report();
            } else {
                self.awaited = std::strtoull(self.input.c_str(), nullptr, 10);
            }
            self.input.erase(0, end + 1);
        }
        return 0;
    }

    // After each of the loop's turns.
    static int on_turn(sd_event_source*, void* data) {
        auto& self = *static_cast<Program*>(data);
        if (!self.awaited) return 0;
        for (const Subscriber& subscriber : self.subscribers) {
            if (subscriber.digest() != *self.awaited) return 0;
        }
        self.awaited.reset();
        self.report();
        return 0;
    }

    void report() const {
        std::uint64_t signals = UINT64_MAX, sequence = UINT64_MAX;
        unsigned least = UINT32_MAX, most = 0;
        rapidjson::StringBuffer text;
        rapidjson::Writer<rapidjson::StringBuffer> out(text);
        out.StartObject();
        out.Key("faults");
        out.StartArray();
        for (const Subscriber& subscriber : subscribers) {
            for (const std::string& fault : subscriber.faults())
                out.String(fault.c_str());
            signals = std::min(signals, subscriber.signals());
            sequence = std::min(sequence, subscriber.sequence());
            least = std::min(least, subscriber.lists());
            most = std::max(most, subscriber.lists());
        }
        out.EndArray();
        for (const auto& [key, value] :
             {std::pair<const char*, std::uint64_t>{"connections", subscribers.size()},
              {"signals", signals},
              {"sequence", sequence},
              {"lists", least},
              {"most_lists", most},
              {"alive", subscribers.front().alive()}}) {
            out.Key(key);
            out.Uint64(value);
        }
        out.EndObject();
        std::puts(text.GetString());
        std::fflush(stdout);
    }
};

void subscribe(const char* address, unsigned connections, useconds_t work) {
    sd_event* event = nullptr;
    check(sd_event_new(&event), "make a loop");
    const std::unique_ptr<sd_event, Freed> loop(event);
    Program program;
    for (unsigned number = 0; number < connections; ++number)
        program.subscribers.emplace_back(address, event, work);
    check(sd_event_add_io(event, nullptr, STDIN_FILENO, EPOLLIN, Program::on_input, &program), "read input");
    sd_event_source* turn = nullptr;
    check(sd_event_add_post(event, &turn, Program::on_turn, &program), "look after each turn");
    std::puts("listening");
    std::fflush(stdout);
    check(sd_event_loop(event), "listen");
    sd_event_source_unref(turn);
}

}  // namespace

int main(int count, char** arguments) {
    if (count != 3 && count != 4) {
        std::fputs("Usage: strict-subscriber ADDRESS CONNECTIONS [MICROSECONDS]\n", stderr);
        return 2;
    }
    try {
        const auto number = [&](int at) {
            return at < count ? static_cast<unsigned>(std::strtoul(arguments[at], nullptr, 10)) : 0U;
        };
        subscribe(arguments[1], number(2), number(3));
        return 0;
    } catch (const std::exception& failure) {
        std::fprintf(stderr, "strict-subscriber: %s\n", failure.what());
        return 1;
    }
}
