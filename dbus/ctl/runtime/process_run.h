// A process in a container, run as if it was one of ours: with our standard streams, our signals, its exit
// code.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "dbus/ctl/loop_guard.h"
#include "dbus/ctl/runtime/raw_terminal.h"
#include "dbus/ctl/runtime/runtime_client.h"
#include "dbus/ctl/runtime/runtime_events.h"
#include "dbus/ctl/runtime/stream_pump.h"
#include "engines/support/event_loop.h"

namespace shorewatch::ctl {

// How the process comes to be.
struct NewContainer {
    std::string spec;  // the OCI specification, in JSON
    Properties options;
};
struct KnownContainer {
    Properties options;  // of Start
};
struct NewProcess {
    std::string json;  // OCI's
};
struct RunningContainer {};

struct ProcessRequest {
    std::string container;  // its id
    std::string process = initial_process;
    std::variant<NewContainer, KnownContainer, NewProcess, RunningContainer> what;
    std::optional<bool> terminal;  // absent: as the specification has it
    bool input = false;            // our standard input is its
    bool remove = false;           // the container is removed when it has ended
};

class ProcessRun {
  public:
    // Nothing is done before run(). runtime outlives it, and is asked for nothing after it. SIGPIPE is
    // ignored, and the signals of handled_signals() are blocked, in all threads.
    ProcessRun(const RuntimeClient& runtime, ProcessRequest request);
    ~ProcessRun();
    ProcessRun(const ProcessRun&) = delete;
    ProcessRun& operator=(const ProcessRun&) = delete;

    // Returns when the process has ended and all it has written is written: its exit code, or 128+n when we
    // are told to end by signal n and it is left to go on. Throws CommandError.
    //
    // With a terminal and input, all keys go to the process, and our own terminal is as it was when this
    // returns. Without, signals to us are passed on to it; at the third SIGINT or SIGTERM it is left alone.
    [[nodiscard]] int run();

    // Signals that are passed on, or else end us, or tell of our terminal.
    [[nodiscard]] static const std::vector<int>& handled_signals();

  private:
    using Streams = std::map<std::string, sdbus::UnixFd>;
    struct Output;

    void begin();
    void start(Properties options);
    void exec(const std::string& json);
    void attach();
    [[nodiscard]] Properties stream_options() const;
    void connected(Streams& streams);
    void not_started(const CommandError& failure);
    void connect_input(UniqueFd fd);
    void connect_output(UniqueFd fd, int to);
    void output_ended(Output& output, int error);
    void close_input();

    void handle_event(const RuntimeEvent& event);
    void handle_return();
    void look();
    void take_look(const RuntimeContainer& found);
    [[nodiscard]] bool all_written() const;
    [[noreturn]] void give_up() const;
    void handle_signal(int number);
    void end_by_signal(int number);
    void send(int number);
    void resize();
    void finish_if_over();
    void finish(int code);
    void remove_and_finish(int code);

    [[nodiscard]] std::string name() const;
    // Callbacks of the bus, by way of the guard.
    template <typename Handler>
    auto guarded(Handler handler);

    const RuntimeClient& runtime_;
    ProcessRequest request_;
    EventLoop loop_;
    LoopGuard guard_;
    std::vector<EventSource> signals_;
    std::optional<RuntimeEvents> events_;
    std::optional<RawTerminal> raw_;
    UniqueFd input_;
    std::unique_ptr<StreamPump> input_pump_;
    std::vector<std::unique_ptr<Output>> outputs_;
    std::optional<std::uint32_t> end_;   // the exit code
    std::optional<int> waiting_signal_;  // for a process that is not there yet
    bool created_ = false;
    bool connected_ = false;
    bool missed_ = false;  // the daemon was away: what it told then we have not heard
    bool finishing_ = false;
    int requests_to_end_ = 0;
    int result_ = 0;
};

}  // namespace shorewatch::ctl
