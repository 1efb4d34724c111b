#include "dbus/ctl/runtime/process_run.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include "dbus/ctl/bus_loop.h"
#include "dbus/ctl/output.h"
#include "engines/support/text.h"

namespace shorewatch::ctl {

namespace {

// So often somebody has to ask before a process that does not listen is left alone.
constexpr int patience = 3;

bool asks_to_end(int number) {
    return number == SIGINT || number == SIGTERM || number == SIGHUP || number == SIGQUIT;
}

UniqueFd open_null() {
    UniqueFd fd(::open("/dev/null", O_WRONLY | O_CLOEXEC));
    if (!fd) throw std::system_error(errno, std::generic_category(), "open /dev/null");
    return fd;
}

// The pipes to the container are ours alone; what is ours from the start is shared with others.
void make_non_blocking(int fd) {
    const int flags = ::fcntl(fd, F_GETFL);
    if (flags < 0 || ::fcntl(fd, F_SETFL, flags | O_NONBLOCK) != 0)
        throw std::system_error(errno, std::generic_category(), "set up the streams of a container");
}

}  // namespace

// What the process writes.
struct ProcessRun::Output {
    UniqueFd from;
    UniqueFd nowhere;  // once nobody reads it here any more
    std::unique_ptr<StreamPump> pump;
    int to = -1;
    bool ended = false;
};

const std::vector<int>& ProcessRun::handled_signals() {
    static const std::vector<int> signals{SIGHUP,  SIGINT,  SIGQUIT,  SIGTERM, SIGUSR1,
                                          SIGUSR2, SIGCONT, SIGWINCH, SIGTSTP};
    return signals;
}

ProcessRun::ProcessRun(const RuntimeClient& runtime, ProcessRequest request)
    : runtime_(runtime), request_(std::move(request)), guard_(loop_) {}

ProcessRun::~ProcessRun() = default;

template <typename Handler>
auto ProcessRun::guarded(Handler handler) {
    return [this, handler = std::move(handler)](auto&&... arguments) {
        guard_([&] { handler(std::forward<decltype(arguments)>(arguments)...); });
    };
}

std::string ProcessRun::name() const {
    return quoted(request_.container);
}

int ProcessRun::run() {
    try {
        events_.emplace(
            runtime_.connection(), runtime_.path(),
            RuntimeEvents::Handlers{guarded([this](const RuntimeEvent& event) { handle_event(event); }),
                                    guarded([this] { handle_return(); })});
        for (const int number : handled_signals())
            signals_.push_back(loop_.on_signal(number, [this, number] { handle_signal(number); }));
        const BusLoop bus_loop(loop_, runtime_.connection());
        begin();
        loop_.run();
    } catch (const sdbus::Error& error) {
        raw_.reset();
        throw command_error("run in container " + name(), error.getName(), error.getMessage(),
                            runtime_.bus().kind);
    }
    raw_.reset();
    guard_.rethrow();
    return result_;
}

void ProcessRun::begin() {
    if (const auto* const container = std::get_if<NewContainer>(&request_.what)) {
        auto answered = guarded([this](std::optional<CommandError> failure) {
            if (failure) throw CommandError(*failure);
            created_ = true;
            if (waiting_signal_ && asks_to_end(*waiting_signal_))
                return remove_and_finish(128 + *waiting_signal_);
            start({});
        });
        runtime_.ask_later<>({"create container " + name(), "Create", Right::run, create_limit}, answered,
                             request_.container, container->spec, container->options);
    } else if (const auto* const known = std::get_if<KnownContainer>(&request_.what)) {
        start(known->options);
    } else if (const auto* const process = std::get_if<NewProcess>(&request_.what)) {
        exec(process->json);
    } else {
        attach();
    }
}

Properties ProcessRun::stream_options() const {
    Properties options{{"Stdin", sdbus::Variant(request_.input)}};
    if (request_.terminal) options.emplace("Terminal", sdbus::Variant(*request_.terminal));
    return options;
}

void ProcessRun::start(Properties options) {
    options.merge(stream_options());
    auto answered = guarded([this](std::optional<CommandError> failure, std::uint32_t, Streams streams) {
        if (failure) return not_started(*failure);
        connected(streams);
    });
    runtime_.ask_later<std::uint32_t, Streams>(
        {"start container " + name(), "Start", Right::run, start_limit}, answered, request_.container,
        options);
}

void ProcessRun::exec(const std::string& json) {
    auto answered = guarded([this](std::optional<CommandError> failure, std::uint32_t, Streams streams) {
        if (failure) return not_started(*failure);
        connected(streams);
    });
    runtime_.ask_later<std::uint32_t, Streams>(
        {"run a command in container " + name(), "Exec", Right::run, start_limit}, answered,
        request_.container, request_.process, json, stream_options());
}

void ProcessRun::attach() {
    auto answered =
        guarded([this](std::optional<CommandError> failure, bool alive, std::uint32_t, Streams streams) {
            if (failure) throw CommandError(*failure);
            if (alive) return connected(streams);
            if (end_) return finish(static_cast<int>(*end_));
            throw CommandError(ExitCode::not_found,
                               fmt::format("cannot attach to container {}: it does not run", name()));
        });
    runtime_.ask_later<bool, std::uint32_t, Streams>({"attach to container " + name(), "Restore"}, answered,
                                                     request_.container, Properties{});
}

// A program that can't be run has an exit code as in a shell, which is told before the error is.
void ProcessRun::not_started(const CommandError& failure) {
    CommandError error = failure;
    const auto no_program = static_cast<std::uint32_t>(ExitCode::no_such_program);
    const auto no_rights = static_cast<std::uint32_t>(ExitCode::not_runnable);
    if (end_ == no_program || end_ == no_rights)
        error = CommandError(static_cast<ExitCode>(*end_), failure.what());
    if (!created_) throw CommandError(error);
    // It has never run: there is nothing in it that somebody could want to look at.
    auto removed = guarded([error](const std::optional<CommandError>&) { throw CommandError(error); });
    runtime_.ask_later<>({"remove container " + name(), "Delete"}, removed, request_.container);
}

// One that removes itself may be gone by now, or is when this is answered.
void ProcessRun::remove_and_finish(int code) {
    auto removed = guarded([this, code](const std::optional<CommandError>& failure) {
        if (failure && failure->code() != ExitCode::not_found) write_complaint(failure->what());
        finish(code);
    });
    runtime_.ask_later<>({"remove container " + name(), "Delete"}, removed, request_.container);
}

void ProcessRun::connected(Streams& streams) {
    connected_ = true;
    const auto stream = [&](const char* key) {
        const auto found = streams.find(key);
        return found == streams.end() ? UniqueFd() : own(found->second);
    };
    UniqueFd input = stream("stdin");
    UniqueFd errors = stream("stderr");
    const bool has_terminal = !errors;
    if (UniqueFd output = stream("stdout")) connect_output(std::move(output), STDOUT_FILENO);
    if (errors) connect_output(std::move(errors), STDERR_FILENO);
    if (input && request_.input) {
        if (has_terminal && ::isatty(STDIN_FILENO) == 1) raw_.emplace(STDIN_FILENO);
        connect_input(std::move(input));
    }
    if (has_terminal) resize();
    if (waiting_signal_) send(*std::exchange(waiting_signal_, std::nullopt));
    finish_if_over();
}

void ProcessRun::connect_input(UniqueFd fd) {
    make_non_blocking(fd.get());
    input_ = std::move(fd);
    input_pump_ =
        std::make_unique<StreamPump>(loop_, STDIN_FILENO, input_.get(), [this](int) { close_input(); });
}

// Whether ours has ended or nobody reads it there. That the process has ended meanwhile is no error.
void ProcessRun::close_input() {
    input_pump_.reset();
    input_.reset();
    if (end_) return;
    runtime_.ask_later<>(
        {"end the input of container " + name(), "CloseStdin"}, [](const std::optional<CommandError>&) {},
        request_.container, request_.process);
}

void ProcessRun::connect_output(UniqueFd fd, int to) {
    make_non_blocking(fd.get());
    auto output = std::make_unique<Output>();
    output->from = std::move(fd);
    output->to = to;
    output->pump = std::make_unique<StreamPump>(
        loop_, output->from.get(), to,
        [this, which = output.get()](int error) { output_ended(*which, error); });
    outputs_.push_back(std::move(output));
}

// A process whose output is not taken any more is told as the kernel tells a program of a pipeline; if it
// goes on all the same, the rest goes nowhere, for it would else wait for ever.
void ProcessRun::output_ended(Output& output, int error) {
    if (error == 0) {
        output.ended = true;
        output.pump.reset();
        if (missed_ && !end_) look();
        return finish_if_over();
    }
    if (error == EPIPE) {
        if (!end_) send(SIGPIPE);
    } else {
        write_complaint(fmt::format("cannot write what container {} writes: {}", name(),
                                    std::generic_category().message(error)));
    }
    output.nowhere = open_null();
    output.pump = std::make_unique<StreamPump>(loop_, output.from.get(), output.nowhere.get(),
                                               [this, &output](int next) { output_ended(output, next); });
}

void ProcessRun::handle_event(const RuntimeEvent& event) {
    if (event.container != request_.container || event.type != "exit") return;
    if (event.process == request_.process) {
        end_ = find<std::uint32_t>(event.info, "ExitCode").value_or(255);
        finish_if_over();
    } else if (event.process == initial_process && connected_ && !end_) {
        // The last of all ends: ours was told while nobody was there to hear it.
        give_up();
    }
}

// The streams do not depend on the daemon, but what it told before it was there again we have missed. An end
// that nobody has been told of it tells when it has found out; of processes of Exec it knows those alone that
// are alive.
void ProcessRun::handle_return() {
    if (!connected_ || end_) return;
    missed_ = true;
    if (request_.process != initial_process && all_written()) give_up();
    look();
}

void ProcessRun::look() {
    auto listed =
        guarded([this](std::optional<CommandError> failure, std::uint64_t, std::vector<RuntimeRow> rows) {
            if (failure) throw CommandError(*failure);
            for (RuntimeRow& row : rows) {
                if (row.get<0>() == request_.container)
                    take_look(runtime_container(row.get<0>(), runtime_.engine(), std::move(row.get<1>())));
            }
        });
    runtime_.ask_later<std::uint64_t, std::vector<RuntimeRow>>(
        {"look after container " + name(), "List", Right::inspect}, listed, Properties{});
}

// A daemon that has just begun may not know yet what is alive: only what it is sure of counts.
void ProcessRun::take_look(const RuntimeContainer& found) {
    if (end_) return;
    if (request_.process == initial_process) {
        if (found.alive() || !found.exit_code) return;
        end_ = found.exit_code;
        return finish_if_over();
    }
    const bool known =
        std::find(found.processes.begin(), found.processes.end(), request_.process) != found.processes.end();
    if (found.alive() && !known && all_written()) give_up();
}

void ProcessRun::give_up() const {
    throw CommandError(
        ExitCode::refused,
        fmt::format("cannot tell how the command in container {} has ended: it did while the daemon was "
                    "away",
                    name()));
}

void ProcessRun::handle_signal(int number) {
    if (number == SIGWINCH) return resize();
    if (number == SIGTSTP || number == SIGCONT) {
        if (raw_) raw_->restore();
        if (number == SIGTSTP) (void)::raise(SIGSTOP);
        if (raw_) raw_->make_raw();
        return resize();
    }
    if (asks_to_end(number)) {
        ++requests_to_end_;
        if (raw_ || requests_to_end_ >= patience) return end_by_signal(number);
    }
    if (connected_) return send(number);
    if (waiting_signal_ && asks_to_end(number)) return end_by_signal(number);
    waiting_signal_ = number;
}

// Ours, not the process's: it goes on.
void ProcessRun::end_by_signal(int number) {
    raw_.reset();
    if (!end_) {
        write_complaint(
            fmt::format("left container {} to itself; to come back to it: shorewatchctl restore {}", name(),
                        printable(request_.container)));
    }
    finish(128 + number);
}

void ProcessRun::send(int number) {
    if (end_) return;
    auto answered = guarded([this](const std::optional<CommandError>& failure) {
        // Of one that has ended meanwhile, that is told, too.
        if (failure && failure->code() != ExitCode::not_found && !end_) write_complaint(failure->what());
    });
    runtime_.ask_later<>({"send container " + name() + " a signal", "SignalProcess"}, answered,
                         request_.container, request_.process, static_cast<std::int32_t>(number));
}

void ProcessRun::resize() {
    if (!connected_ || end_ || request_.terminal == false) return;
    auto size = terminal_size(STDIN_FILENO);
    if (!size) size = terminal_size(STDOUT_FILENO);
    if (!size || size->width == 0 || size->height == 0) return;
    // It may have ended, or have no terminal: of no consequence.
    runtime_.ask_later<>(
        {"resize the terminal of container " + name(), "ResizeTerminal"},
        [](const std::optional<CommandError>&) {}, request_.container, request_.process, size->width,
        size->height);
}

bool ProcessRun::all_written() const {
    return std::all_of(outputs_.begin(), outputs_.end(), [](const auto& output) { return output->ended; });
}

void ProcessRun::finish_if_over() {
    if (!connected_ || !end_ || finishing_ || !all_written()) return;
    finishing_ = true;
    const auto code = static_cast<int>(*end_);
    request_.remove ? remove_and_finish(code) : finish(code);
}

void ProcessRun::finish(int code) {
    result_ = code;
    loop_.stop();
}

}  // namespace shorewatch::ctl
