// The least that a service on sd-bus can do: it sends the same bytes as another, which it has learnt from
// that, and has nothing to do for them but to append them.
//
// Prints its unique name, then obeys a line of standard input after the other, until that ends. Each is
// answered with a line.
//   answer DESTINATION PATH INTERFACE METHOD SIGNATURE NUMBER
//                          learns the answer of that call; calls of "Answer" then get it
//   learn SENDER           learns the signals that come from there, until:
//   learnt                 prints how many they are
//   flood COUNT            sends those again, in turn, so many in all
// Calls of "Empty" get an empty answer. Path and interface of calls do not matter.
//
// Usage: bench-minimal-server ADDRESS
#include <cerrno>
#include <cstdio>
#include <exception>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include <sys/epoll.h>
#include <unistd.h>

#include "tests/bench/sd_bus.h"

using namespace shorewatch::bench;

namespace {

class Server {
  public:
    explicit Server(const char* address) : bus_(connect(address)) {
        sd_event* event = nullptr;
        check(sd_event_new(&event), "make a loop");
        loop_.reset(event);
        check(sd_bus_attach_event(bus_.get(), event, SD_EVENT_PRIORITY_NORMAL), "attach the connection");
        check(sd_bus_add_filter(bus_.get(), nullptr, on_message, this), "take calls");
        check(sd_event_add_io(event, nullptr, STDIN_FILENO, EPOLLIN, on_input, this), "read commands");
    }

    void run() {
        say(unique_name(bus_.get()));
        check(sd_event_loop(loop_.get()), "serve");
    }

  private:
    static void say(const std::string& what) {
        std::puts(what.c_str());
        std::fflush(stdout);
    }

    static int on_message(sd_bus_message* message, void* data, sd_bus_error*) noexcept {
        auto& self = *static_cast<Server*>(data);
        try {
            return self.take(message);
        } catch (const std::exception& failure) {
            std::fprintf(stderr, "bench-minimal-server: %s\n", failure.what());
            return -EINVAL;
        }
    }

    int take(sd_bus_message* message) {
        if (sd_bus_message_is_signal(message, nullptr, nullptr) > 0) {
            const std::string interface = sd_bus_message_get_interface(message);
            if (learning_ && interface != "org.freedesktop.DBus" && interface != "org.freedesktop.DBus.Local")
                learnt_.emplace_back(sd_bus_message_ref(message));
            return 0;
        }
        const bool empty = sd_bus_message_is_method_call(message, nullptr, "Empty") > 0;
        if (!empty && sd_bus_message_is_method_call(message, nullptr, "Answer") <= 0) return 0;
        sd_bus_message* made = nullptr;
        check(sd_bus_message_new_method_return(message, &made), "make an answer");
        const Message answer(made);
        if (!empty) copy(made, answer_.get());
        check(sd_bus_send(bus_.get(), made, nullptr), "answer");
        return 1;
    }

    static void copy(sd_bus_message* to, sd_bus_message* from) {
        check(sd_bus_message_rewind(from, 1), "rewind");
        check(sd_bus_message_copy(to, from, 1), "copy");
    }

    static int on_input(sd_event_source*, int fd, std::uint32_t, void* data) noexcept {
        auto& self = *static_cast<Server*>(data);
        try {
            char buffer[4096];
            const ssize_t size = ::read(fd, buffer, sizeof buffer);
            if (size <= 0) return sd_event_exit(self.loop_.get(), 0);
            self.input_.append(buffer, static_cast<std::size_t>(size));
            for (std::size_t end = 0; (end = self.input_.find('\n')) != std::string::npos;) {
                const std::string line = self.input_.substr(0, end);
                self.input_.erase(0, end + 1);
                self.obey(line);
            }
            return 0;
        } catch (const std::exception& failure) {
            std::fprintf(stderr, "bench-minimal-server: %s\n", failure.what());
            return -EINVAL;
        }
    }

    void obey(const std::string& line) {
        std::istringstream words(line);
        std::string what;
        words >> what;
        if (what == "answer") {
            learn_answer(words);
        } else if (what == "learn") {
            learn_signals(words);
        } else if (what == "learnt") {
            learning_ = false;
            say(std::to_string(learnt_.size()));
        } else if (what == "flood") {
            flood(words);
        } else {
            throw std::runtime_error("what is " + what + "?");
        }
    }

    void learn_answer(std::istream& words) {
        std::string destination;
        std::string path;
        std::string interface;
        std::string member;
        std::string signature;
        std::uint32_t number = 0;
        if (!(words >> destination >> path >> interface >> member >> signature >> number))
            throw std::runtime_error("answer what?");
        const Message message =
            method_call(bus_.get(), destination, path, interface, member, signature, number);
        answer_ = call(bus_.get(), message.get());
        say("ready");
    }

    void learn_signals(std::istream& words) {
        learnt_.clear();
        std::string sender;
        words >> sender;
        const std::string match = "type='signal',sender='" + sender + "'";
        check(sd_bus_add_match(bus_.get(), nullptr, match.c_str(), nullptr, nullptr), "subscribe");
        learning_ = true;
        say("listening");
    }

    void flood(std::istream& words) {
        std::size_t count = 0;
        words >> count;
        if (learnt_.empty()) throw std::runtime_error("nothing was learnt to flood with");
        for (std::size_t index = 0; index < count; ++index) {
            sd_bus_message* from = learnt_[index % learnt_.size()].get();
            sd_bus_message* made = nullptr;
            check(sd_bus_message_new_signal(bus_.get(), &made, sd_bus_message_get_path(from),
                                            sd_bus_message_get_interface(from),
                                            sd_bus_message_get_member(from)),
                  "make a signal");
            const Message signal(made);
            copy(made, from);
            check(sd_bus_send(bus_.get(), made, nullptr), "send");
        }
        check(sd_bus_flush(bus_.get()), "flush");
        say("flooded");
    }

    Bus bus_;
    Event loop_;
    std::string input_;
    Message answer_;
    bool learning_ = false;
    std::vector<Message> learnt_;
};

}  // namespace

int main(int count, char** arguments) {
    if (count != 2) {
        std::fputs("Usage: bench-minimal-server ADDRESS\n", stderr);
        return 2;
    }
    try {
        Server(arguments[1]).run();
        return 0;
    } catch (const std::exception& failure) {
        std::fprintf(stderr, "bench-minimal-server: %s\n", failure.what());
        return 1;
    }
}
