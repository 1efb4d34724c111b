// stats: what containers use of the machine, again and again, until it is interrupted.
#include <map>

#include "dbus/ctl/bus_loop.h"
#include "dbus/ctl/commands/runtime_options.h"
#include "dbus/ctl/json_out.h"
#include "dbus/ctl/loop_guard.h"
#include "dbus/ctl/output.h"
#include "dbus/ctl/runtime/runtime_views.h"

namespace shorewatch::ctl {

namespace {

struct Options {
    std::vector<std::string> containers;  // empty: all that run
    std::optional<std::string> engine;
    std::uint32_t interval = 1;  // seconds
    bool once = false;
    bool json = false;
};

// Rounds of readings: each asks for all containers at once, and is shown when the last has answered.
class Monitor {
  public:
    Monitor(const RuntimeClient& runtime, const Options& options, const Style& style)
        : runtime_(runtime), options_(options), style_(style), guard_(loop_), next_(loop_, [this] {
              begin_round();
          }) {}

    void run() {
        const EndingSignals ending(loop_);
        begin_round();
        serve(loop_, runtime_.connection(), ending, "read statistics", runtime_.bus().kind);
        guard_.rethrow();
    }

  private:
    void begin_round() {
        if (!options_.containers.empty()) return ask_for(options_.containers);
        auto listed = [this](std::optional<CommandError> failure, std::uint64_t,
                             const std::vector<RuntimeRow>& rows) {
            guard_([&] {
                if (failure) throw CommandError(*failure);
                std::vector<std::string> ids;
                for (const RuntimeRow& row : rows) {
                    if (runtime_container(row.get<0>(), {}, row.get<1>()).alive())
                        ids.push_back(row.get<0>());
                }
                ask_for(ids);
            });
        };
        runtime_.ask_later<std::uint64_t, std::vector<RuntimeRow>>(
            {"list the containers", "List", Right::inspect}, listed, Properties{});
    }

    void ask_for(const std::vector<std::string>& ids) {
        readings_.clear();
        waiting_ = ids.size();
        if (ids.empty()) return end_round();
        for (const std::string& id : ids) {
            auto answered = [this, id](std::optional<CommandError> failure, std::uint64_t read_at,
                                       Properties metrics) {
                guard_([&] { take(id, failure, {read_at, std::move(metrics)}); });
            };
            runtime_.ask_later<std::uint64_t, Properties>(
                {"read the statistics of container " + quoted(id), "Stats", Right::inspect}, answered, id);
        }
    }

    void take(const std::string& id, const std::optional<CommandError>& failure,
              const StatsReading& reading) {
        if (!failure) {
            readings_.emplace(id, usage_of(reading));
        } else if (failure->code() != ExitCode::not_found) {
            throw CommandError(*failure);
        } else {
            ended_ = failure;
        }
        if (--waiting_ == 0) end_round();
    }

    // Of those that were asked for by name, there has to be one at first.
    void end_round() {
        if (readings_.empty() && !options_.containers.empty()) {
            if (before_.empty() && ended_) throw CommandError(*ended_);
            return loop_.stop();
        }
        const bool shown = !options_.once || has_before_;
        if (shown) show();
        before_ = std::move(readings_);
        if (options_.once && has_before_) return loop_.stop();
        has_before_ = true;
        next_.arm_after(std::chrono::seconds(options_.interval));
    }

    void show() const {
        std::vector<UsageRow> rows;
        for (const auto& [id, usage] : readings_) {
            const auto before = before_.find(id);
            const auto cpu = before == before_.end() ? std::nullopt : cpu_percent(before->second, usage);
            rows.push_back({id, usage, cpu});
        }
        if (options_.json) return write_answer(to_json(rows));
        const std::string table = usage_table(rows, style_);
        // On a terminal each table takes the place of the one before.
        const bool replace = style_.width.has_value() && !options_.once;
        write_answer(replace ? "\x1b[H\x1b[2J" + table : table);
    }

    const RuntimeClient& runtime_;
    const Options& options_;
    Style style_;
    EventLoop loop_;
    LoopGuard guard_;
    Timer next_;
    std::size_t waiting_ = 0;  // for so many answers
    std::map<std::string, Usage> readings_;
    std::map<std::string, Usage> before_;  // of the last round
    bool has_before_ = false;
    std::optional<CommandError> ended_;  // what was said of one that is not alive
};

void run(const Session& session, const Options& options) {
    const BusClient client(session.bus());
    const RuntimeClient runtime(client, options.engine);
    Monitor(runtime, options, session.style()).run();
}

}  // namespace

void add_stats_command(CLI::App& app, const Session& session) {
    const auto options = std::make_shared<Options>();
    CLI::App* const command =
        app.add_subcommand("stats", "Show what containers that run has made use of the machine, live");
    command->add_option("container", options->containers, "Their ids; all that run if none is given")
        ->type_name("ID");
    command->add_option("--interval", options->interval, "How long from one reading to the next; default: 1")
        ->type_name("SECONDS")
        ->check(CLI::Range(1U, 3600U));
    command->add_flag("--once", options->once, "Only once, over one interval");
    command->add_flag("--json", options->json, "An object a line for each container, each time");
    add_engine_option(*command, options->engine);
    command->footer(
        "CPU % is of one processor: two that are busy make 200. MEMORY is without files that would be "
        "dropped before\n"
        "the limit is felt. READ and WRITTEN are of disks, since the start. Ends with 0 on SIGINT and "
        "SIGTERM, and\n"
        "when the containers that were named have ended.\n"
        "In JSON, cpu_time is in nanoseconds, read_at in microseconds since 1970, and sizes are in bytes; "
        "what is not\n"
        "known, and limits that are none, are null.\n"
        "Examples:\n"
        "  shorewatchctl stats\n"
        "  shorewatchctl stats --once --json web | jq .memory");
    command->callback([options, &session] { run(session, *options); });
}

}  // namespace shorewatch::ctl
