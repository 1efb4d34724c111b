// The desk's containers: how they come and go, and who waits for an answer.
#include "daemon/runtime/runtime_desk.h"

#include <algorithm>
#include <system_error>
#include <utility>

#include "engines/container.h"
#include "engines/engine_control.h"
#include "engines/error_text.h"
#include "engines/support/text.h"

namespace shorewatch {

namespace {

constexpr std::string_view own_prefix = "org.shorewatch.";
// containerd's own limit of a label, key and value together.
constexpr std::size_t longest_label = 4096;
// As many as are published of a container.
constexpr std::size_t most_label_bytes = Labels::max_bytes;

std::string why_no_label(const std::pair<std::string, std::string>& label) {
    if (label.first.empty()) return "option Labels has a label without a name";
    if (label.first.starts_with(own_prefix)) {
        return "option Labels has '" + label.first + "': labels that begin with " + std::string(own_prefix) +
               " are the daemon's";
    }
    if (label.first.size() + label.second.size() > longest_label)
        return "option Labels has '" + label.first.substr(0, 64) + "', which is longer than 4096 characters";
    return {};
}

// Empty: nothing is wrong with them.
std::string why_not(const CreateOptions& options) {
    if (options.snapshotter && options.image.empty()) return "option Snapshotter is of use with Image only";
    if (options.snapshotter && !is_containerd_name(*options.snapshotter))
        return "option Snapshotter is no name of a snapshotter";
    std::size_t bytes = 0;
    for (const auto& label : options.labels) {
        if (std::string why = why_no_label(label); !why.empty()) return why;
        bytes += label.first.size() + label.second.size();
    }
    return bytes > most_label_bytes ? "option Labels has more than 64 KiB" : "";
}

}  // namespace

const char* to_string(RuntimeSignal::Type type) {
    switch (type) {
        case RuntimeSignal::Type::create:
            return "create";
        case RuntimeSignal::Type::start:
            return "start";
        case RuntimeSignal::Type::exec_added:
            return "exec-added";
        case RuntimeSignal::Type::exec_started:
            return "exec-started";
        case RuntimeSignal::Type::oom:
            return "oom";
        case RuntimeSignal::Type::paused:
            return "paused";
        case RuntimeSignal::Type::resumed:
            return "resumed";
        case RuntimeSignal::Type::exit:
            return "exit";
    }
    return "unknown";
}

RuntimeDesk::RuntimeDesk(EventLoop& loop, Endpoint endpoint, EngineRuntime& engine, RuntimeSettings settings,
                         Tell tell)
    : loop_(loop),
      endpoint_(std::move(endpoint)),
      engine_(engine),
      settings_(std::move(settings)),
      tell_(std::move(tell)),
      state_(settings_.state) {
    load();
    engine_.observe(this);
}

RuntimeDesk::~RuntimeDesk() {
    engine_.observe(nullptr);
    try {
        answer_all("this engine is no longer watched");
    } catch (...) {
        // Out of memory: they stay without an answer.
    }
}

// --- answers
// ----------------------------------------------------------------------------------------------

EngineError RuntimeDesk::error(Kind kind, const std::string& purpose, std::string_view cause) const {
    return make_error(kind, purpose, endpoint_, cause);
}

RuntimeReply RuntimeDesk::track(const std::string& purpose, RuntimeReply reply) {
    if (pending_.size() >= most_pending) {
        reply(error(Kind::busy, purpose,
                    std::to_string(most_pending) + " calls are waiting for this engine already"));
        return nullptr;
    }
    const std::uint64_t number = next_++;
    pending_.emplace(number, Pending{purpose, std::move(reply)});
    return [this, number](Result<RuntimeAnswer> answer) {
        const auto ended = pending_.extract(number);
        if (!ended.empty()) ended.mapped().reply(std::move(answer));
    };
}

void RuntimeDesk::answer_all(const std::string& cause) {
    for (auto& [number, waiting] : std::exchange(pending_, {}))
        waiting.reply(error(Kind::unreachable, waiting.purpose, cause));
}

// --- finding
// ----------------------------------------------------------------------------------------------

RuntimeDesk::Entry* RuntimeDesk::find(const std::string& id) {
    const auto found = containers_.find(id);
    return found != containers_.end() ? &found->second : nullptr;
}

RuntimeDesk::Entry* RuntimeDesk::find(const std::string& id, const std::string& purpose,
                                      const RuntimeReply& reply) {
    Entry* const entry = find(id);
    const bool there =
        entry != nullptr && entry->phase != Phase::creating && entry->phase != Phase::lost_creating;
    if (there) return entry;
    reply(error(Kind::not_found, purpose, "no such container was created here"));
    return nullptr;
}

RuntimeDesk::Entry* RuntimeDesk::find_idle(const std::string& id, const std::string& purpose,
                                           const RuntimeReply& reply) {
    Entry* const entry = find(id, purpose, reply);
    if (entry == nullptr || entry->phase == Phase::ready) return entry;
    reply(error(Kind::conflict, purpose, "it is being started or deleted by another call"));
    return nullptr;
}

ManagedProcess* RuntimeDesk::process_of(Entry& entry, const std::string& name) {
    const auto found = entry.processes.find(name);
    return found != entry.processes.end() ? &found->second : nullptr;
}

ManagedProcess* RuntimeDesk::process_of(const std::string& id, const std::string& name,
                                        std::uint64_t number) {
    Entry* const entry = find(id);
    ManagedProcess* const process = entry != nullptr ? process_of(*entry, name) : nullptr;
    return process != nullptr && process->number == number ? process : nullptr;
}

bool RuntimeDesk::is_alive(Entry& entry) {
    const ManagedProcess* const init = process_of(entry, init_name);
    return init != nullptr && init->order.is_answered() && !init->order.is_over();
}

// --- the engine as a whole
// --------------------------------------------------------------------------------

void RuntimeDesk::version(RuntimeReply reply) {
    const RuntimeReply answer = track("ask the engine for its version", std::move(reply));
    if (!answer) return;
    engine_.version([answer](Result<EngineVersion> told) {
        told ? answer(RuntimeAnswer(std::move(told.value()))) : answer(told.error());
    });
}

void RuntimeDesk::image_config(const std::string& image, const std::optional<std::string>& name_space,
                               RuntimeReply reply) {
    const std::string purpose = "read image " + printable(image.substr(0, longest_name));
    const std::string place = name_space.value_or(settings_.name_space);
    if (!is_containerd_name(place))
        return reply(error(Kind::invalid, purpose, "option Namespace is no name of a namespace"));
    const RuntimeReply answer = track(purpose, std::move(reply));
    if (!answer) return;
    engine_.image_config(place, image, [this, answer, purpose](Result<std::string> told) {
        if (!told) return answer(told.error());
        const auto fit = answerable(told.value(), purpose, endpoint_);
        fit ? answer(RuntimeAnswer(fit.value())) : answer(fit.error());
    });
}

void RuntimeDesk::list(RuntimeReply reply) {
    ContainerListing listing;
    listing.sequence = sequence_;
    for (auto& [id, entry] : containers_) {
        if (entry.phase == Phase::creating || entry.phase == Phase::lost_creating) continue;
        ListedContainer row{id, entry.place, entry.record, entry.remove_on_exit, {}, 0, false, {}, {}, false};
        const ManagedProcess* const init = process_of(entry, init_name);
        if (init != nullptr) {
            const bool over = init->order.is_over();
            row.status = over                         ? "stopped"
                         : !init->order.is_answered() ? "created"
                         : entry.paused               ? "paused"
                                                      : "running";
            row.pid = over ? 0 : init->order.pid();
            row.terminal = init->terminal.value_or(false);
        }
        for (const auto& [name, process] : entry.processes) {
            if (name != init_name && !process.order.is_over()) row.processes.push_back(name);
        }
        if (!is_alive(entry)) {
            row.end = entry.last_end;
            row.oom_killed = entry.last_oom;
        }
        listing.containers.push_back(std::move(row));
    }
    reply(RuntimeAnswer(std::move(listing)));
}

// --- containers
// -------------------------------------------------------------------------------------------

void RuntimeDesk::create(const std::string& id, const std::string& spec_json, const CreateOptions& options,
                         RuntimeReply reply) {
    const std::string purpose = doing("create", printable(id.substr(0, 300)));
    const auto refuse = [&](Kind kind, std::string_view cause) { reply(error(kind, purpose, cause)); };
    if (!is_containerd_name(id)) {
        return refuse(Kind::invalid,
                      "id is none: expected up to 76 letters and digits, and between them one . _ or -");
    }
    if (const std::string why = why_not(options); !why.empty()) return refuse(Kind::invalid, why);
    if (spec_json.size() > EngineRuntime::longest_spec)
        return refuse(Kind::invalid_spec, "oci_spec_json is longer than 1 MiB");
    const std::string name_space = options.name_space.value_or(settings_.name_space);
    if (!is_containerd_name(name_space) || !engine_.watches(name_space)) {
        return refuse(Kind::invalid, "option Namespace is '" + printable(name_space.substr(0, 100)) +
                                         "', which is not one of those that are watched");
    }
    if (find(id) != nullptr)
        return refuse(Kind::conflict, "there is a container of that id already; choose another one");
    if (containers_.size() >= settings_.most_containers) {
        return refuse(Kind::busy, "there are " + std::to_string(settings_.most_containers) +
                                      " already, the most that runtime.most_containers allows");
    }
    const RuntimeReply answer = track(purpose, std::move(reply));
    if (!answer) return;
    try {
        state_.add(id, name_space);
    } catch (const std::system_error& failure) {
        state_.remove(id);
        return answer(error(Kind::engine, purpose, failure.what()));
    }
    Entry& entry = containers_[id];
    entry.place = {name_space, id};
    entry.remove_on_exit = options.remove_on_exit;
    NewContainer made{entry.place, spec_json, options.image,
                      options.snapshotter.value_or(settings_.snapshotter), options.labels};
    made.labels.emplace_back(own_label, "1");
    if (options.remove_on_exit) made.labels.emplace_back(remove_label, "1");
    engine_.create_container(made, [this, id, answer](const Result<ContainerRecord>& record) {
        take_created(id, record, answer);
    });
}

void RuntimeDesk::take_created(const std::string& id, const Result<ContainerRecord>& made,
                               const RuntimeReply& answer) {
    Entry* const entry = find(id);
    if (entry == nullptr) return answer(error(Kind::engine, doing("create", id), "it was removed meanwhile"));
    if (!made) {
        forget(id);
        return answer(made.error());
    }
    entry->record = made.value();
    entry->phase = Phase::ready;
    answer(RuntimeAnswer());
}

void RuntimeDesk::forget(const std::string& id) {
    state_.remove(id);
    containers_.erase(id);
}

void RuntimeDesk::remove(const std::string& id, RuntimeReply reply) {
    const std::string purpose = doing("delete", id);
    // Whoever asks for what is under way by itself waits for that.
    if (Entry* const going = find(id);
        going != nullptr && going->phase == Phase::removing && going->removers) {
        if (RuntimeReply answer = track(purpose, std::move(reply)))
            going->removers->push_back(std::move(answer));
        return;
    }
    Entry* const entry = find_idle(id, purpose, reply);
    if (entry == nullptr) return;
    const RuntimeReply answer = track(purpose, std::move(reply));
    if (!answer) return;
    entry->phase = Phase::removing;
    // Whatever is known here: the engine would forget about one that runs.
    engine_.delete_task(entry->place, [this, id, answer](const Result<ProcessEnd>& end) {
        Entry* const found = find(id);
        if (found == nullptr) return answer(RuntimeAnswer());
        const bool gone =
            !end && (end.error().kind == Kind::not_alive || end.error().kind == Kind::not_found);
        if (!end && !gone) {
            found->phase = Phase::ready;
            return answer(end.error());
        }
        if (end) take_exit(*found, init_name, end.value());
        remove_now(id, answer);
    });
}

void RuntimeDesk::remove_now(const std::string& id, const RuntimeReply& answer) {
    Entry* const entry = find(id);
    if (entry == nullptr) return answer(RuntimeAnswer());
    entry->phase = Phase::removing;
    engine_.delete_container(entry->place, [this, id, answer](const std::optional<EngineError>& refused) {
        Entry* const found = find(id);
        if (found == nullptr) return answer(RuntimeAnswer());
        if (refused && refused->kind != Kind::not_found) {
            found->phase = Phase::ready;
            return answer(*refused);
        }
        forget(id);
        answer(RuntimeAnswer());
    });
}

}  // namespace shorewatch
