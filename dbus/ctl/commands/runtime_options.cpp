#include "dbus/ctl/commands/runtime_options.h"

#include <array>
#include <csignal>
#include <cstdlib>

#include <fmt/format.h>
#include <sys/random.h>
#include <unistd.h>

namespace shorewatch::ctl {

namespace {

constexpr const char* amount = "an amount of memory, as 512m or 2g";

std::optional<std::int64_t> memory_and_swap(std::string_view text) {
    return text == "unlimited" ? std::optional<std::int64_t>(-1) : byte_count(text);
}

std::optional<std::int64_t> processors(std::string_view text) {
    return text == "unlimited" ? std::optional<std::int64_t>(-1) : cpu_quota(text);
}

std::optional<std::int64_t> process_count(std::string_view text) {
    if (text == "unlimited") return -1;
    if (text.empty() || text.find_first_not_of("0123456789") != std::string_view::npos) return std::nullopt;
    return byte_count(text);
}

}  // namespace

void add_engine_option(CLI::App& command, std::optional<std::string>& engine) {
    command.add_option("--engine", engine, "The containerd that runs it, where there are several")
        ->type_name("ENGINE");
}

void add_container_option(CLI::App& command, std::string& container) {
    command.add_option("container", container, "Its id, as ps shows it")->required()->type_name("ID");
}

void add_resource_options(CLI::App& command, ResourceOptions& options) {
    const auto add = [&command](const char* name, std::optional<std::string>& value, const char* what,
                                const char* type) {
        return command.add_option(name, value, what)->type_name(type)->group("Limits");
    };
    add("-m,--memory", options.memory, "The most memory it may take, as 512m", "BYTES")
        ->check(checked(byte_count, amount));
    add("--memory-reservation", options.memory_reservation, "What is left to it when memory is short",
        "BYTES")
        ->check(checked(byte_count, amount));
    add("--memory-swap", options.memory_swap, "The most memory and swap together, or 'unlimited'", "BYTES")
        ->check(checked(memory_and_swap, amount));
    add("--cpus", options.cpus, "The processors' time it may take, as 1.5, or 'unlimited'", "NUMBER")
        ->check(checked(processors, "a number of processors of 0.01 to 10000"));
    command.add_option("--cpu-shares", options.cpu_shares, "Its weight where time is short; most have 1024")
        ->type_name("NUMBER")
        ->group("Limits")
        ->check(CLI::Range(std::uint64_t{2}, std::uint64_t{262144}));
    add("--cpuset-cpus", options.cpuset, "The processors it may run on, as 0-2,7", "LIST")
        ->check(checked([](const std::string& text) { return is_cpu_list(text); }, "a list of processors"));
    add("--pids-limit", options.pids, "The most processes and threads, or 'unlimited'", "NUMBER")
        ->check(checked(process_count, "a number of processes"));
}

Resources ResourceOptions::resources() const {
    Resources result;
    if (memory) result.memory = byte_count(*memory);
    if (memory_reservation) result.memory_reservation = byte_count(*memory_reservation);
    if (memory_swap) result.memory_and_swap = memory_and_swap(*memory_swap);
    if (cpus) result.cpu_quota = processors(*cpus);
    result.cpu_shares = cpu_shares;
    result.cpus = cpuset;
    if (pids) result.pids = process_count(*pids);
    return result;
}

void add_stream_options(CLI::App& command, StreamOptions& options) {
    command.add_flag("-i,--interactive", options.input, "Our standard input is its");
    command.add_flag("-t,--tty", options.terminal, "It has a terminal; with -i ours is it, keys and all");
    command.add_flag("-d,--detach", options.detached, "Don't wait for it; what it writes goes nowhere");
}

void check(const StreamOptions& options, const Session& session, const char* command) {
    if (!session.host.empty()) {
        throw CommandError(
            ExitCode::usage,
            fmt::format(
                "{} connects streams, which don't pass to other hosts, and can't be used with --host; as in: "
                "ssh -t HOST shorewatchctl {} …",
                command, command));
    }
    if (options.detached && (options.input || options.terminal))
        throw CommandError(ExitCode::usage, "--detach leaves nobody to use -i or -t");
    if (options.input && options.terminal && ::isatty(STDIN_FILENO) != 1)
        throw CommandError(ExitCode::usage,
                           "-it is for terminals, and the standard input is none; leave out -t");
}

void run_and_exit(const Session& session, const std::optional<std::string>& engine, ProcessRequest request) {
    (void)std::signal(SIGPIPE, SIG_IGN);
    int code = 0;
    {
        const BusClient client(session.bus());
        const RuntimeClient runtime(client, engine);
        sigset_t signals;
        sigemptyset(&signals);
        for (const int number : ProcessRun::handled_signals())
            sigaddset(&signals, number);
        pthread_sigmask(SIG_BLOCK, &signals, nullptr);
        ProcessRun process(runtime, std::move(request));
        code = process.run();
    }
    end_with(code);
}

std::string random_name() {
    std::array<unsigned char, 6> bytes{};
    if (::getrandom(bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size()))
        throw CommandError(ExitCode::refused,
                           "cannot make up a name: there are no random numbers; say one by --name");
    std::string name;
    for (const unsigned char byte : bytes)
        name += fmt::format("{:02x}", byte);
    return name;
}

std::vector<std::string> given_variables(const std::vector<std::string>& given) {
    std::vector<std::string> result;
    for (const std::string& variable : given) {
        if (variable.find('=') != std::string::npos) {
            result.push_back(variable);
        } else if (const char* const value = std::getenv(variable.c_str()); value != nullptr) {
            result.push_back(variable + "=" + value);
        }
    }
    return result;
}

TerminalSize our_terminal_size() {
    auto size = terminal_size(STDIN_FILENO);
    if (!size) size = terminal_size(STDOUT_FILENO);
    return size.value_or(TerminalSize{});
}

void check_text(const std::string& text, const char* what) {
    if (valid_utf8(text) == text) return;
    throw CommandError(ExitCode::usage, fmt::format("{} can't be passed on, for it is not UTF-8: '{}'", what,
                                                    printable(text)));
}

}  // namespace shorewatch::ctl
