#include "tests/unit/tracker_world.h"

#include <algorithm>
#include <iterator>
#include <memory>
#include <utility>
#include <variant>

#include "tests/fakes/event_words.h"

namespace shorewatch::testing {

namespace {

const char* name_of(Deed::Kind kind) {
    switch (kind) {
        case Deed::Kind::start:
            return "start";
        case Deed::Kind::die:
            return "die";
        case Deed::Kind::pause:
            return "pause";
        case Deed::Kind::unpause:
            return "unpause";
        case Deed::Kind::rename:
            return "rename";
        case Deed::Kind::remove:
            return "remove";
    }
    return "?";
}

RealTime at(std::int64_t tick) {
    return RealTime{std::chrono::milliseconds(tick)};
}

}  // namespace

TrackerWorld::TrackerWorld(std::vector<Deed> script, Traits traits)
    : traits_(traits), script_(script.begin(), script.end()), tracker_(portfolio_, *this) {}

void TrackerWorld::before(const std::vector<Deed>& deeds) {
    for (const Deed& deed : deeds)
        perform(deed, false);
}

void TrackerWorld::open_stream() {
    history_ += "open; ";
    if (!last_told_) last_told_ = at(clock_);
    tracker_.on_list_asked(*last_told_);
    list_wanted_ = true;
}

// --- the engine
// -----------------------------------------------------------------------------------------------

void TrackerWorld::perform(const Deed& deed, bool told) {
    Box& box = boxes_[deed.id];
    const ContainerPtr before = box.now;
    const bool was_removed = box.removed;
    do_to(box, deed, told);
    if (before != box.now || was_removed != box.removed) {
        history_ += std::string(name_of(deed.kind)) + " " + deed.id + "; ";
    }
}

void TrackerWorld::do_to(Box& box, const Deed& deed, bool told) {
    auto next = box.now ? std::make_shared<Container>(*box.now) : std::make_shared<Container>();
    clock_ += 10;
    switch (deed.kind) {
        case Deed::Kind::start:
            return start(box, deed.id, told);
        case Deed::Kind::die:
            return die(box, told);
        case Deed::Kind::pause:
        case Deed::Kind::unpause: {
            const bool pause = deed.kind == Deed::Kind::pause;
            if (!box.lives() || box.now->paused == pause) return;
            next->paused = pause;
            box.now = next;
            return tell(pause ? ContainerEvent::Type::paused : ContainerEvent::Type::unpaused, box, {}, told);
        }
        case Deed::Kind::rename:
            if (!box.now || box.removed) return;
            next->name += "'";
            box.now = next;
            return tell(ContainerEvent::Type::renamed, box, {}, told);
        case Deed::Kind::remove:
            if (box.now && box.now->pid == 0) box.removed = true;
            return;
    }
}

void TrackerWorld::start(Box& box, const std::string& id, bool told) {
    if (box.lives()) return;
    if (box.unlearned && !traits_.exits_told_late) learn(box, told);
    auto next = box.now ? std::make_shared<Container>(*box.now) : std::make_shared<Container>();
    clock_ += 10;
    next->id = id;
    if (next->name.empty()) next->name = "name-" + id;
    next->pid = ++last_pid_;
    next->started = at(clock_);
    next->paused = false;
    next->exit_events_tell_code = traits_.exit_events_tell_code;
    box.removed = false;
    box.now = next;
    box.runs.push_back({at(clock_), {}, 0, last_pid_, false});
    tell(ContainerEvent::Type::started, box, {}, told);
}

void TrackerWorld::die(Box& box, bool told) {
    if (!box.lives()) return;
    if (box.unlearned) learn(box, told);
    clock_ += 10;
    Run& run = box.runs.back();
    run.ended = at(clock_);
    run.code = static_cast<int>(box.runs.size()) + 10;
    box.unlearned = run.code;
    if (!traits_.engine_lags || !told) learn(box, told);
}

void TrackerWorld::learn(Box& box, bool told) {
    const int code = *std::exchange(box.unlearned, std::nullopt);
    told = told && (!box.has_forgotten || traits_.ends_told_again);
    box.may_learn_silently = box.has_forgotten = false;
    if (!told) (box.lives() ? box.runs.end()[-2] : box.runs.back()).untraceable = true;
    if (!box.lives()) {
        auto next = std::make_shared<Container>(*box.now);
        next->pid = 0;
        next->paused = false;
        box.now = next;
        box.removed = traits_.auto_remove;
    }
    clock_ += 10;
    tell(ContainerEvent::Type::exited, box, code, told);
}

void TrackerWorld::forget(Box& box) {
    if (box.runs.empty() || box.lives() || box.removed) return;
    auto next = std::make_shared<Container>(*box.now);
    next->pid = box.runs.back().pid;
    box.now = next;
    box.unlearned = box.runs.back().code;
    box.has_forgotten = box.may_learn_silently = true;
}

// An end that is told late is that of the run before the one that lives.
const TrackerWorld::Run& TrackerWorld::run_told_of(ContainerEvent::Type type, const Box& box) {
    const bool is_earlier = type == ContainerEvent::Type::exited && box.lives();
    return is_earlier ? box.runs.end()[-2] : box.runs.back();
}

void TrackerWorld::tell(ContainerEvent::Type type, const Box& box, std::optional<int> code, bool told) {
    auto outline = std::make_shared<Container>();
    outline->id = box.now->id;
    outline->name = box.now->name;
    outline->exit_events_tell_code = traits_.exit_events_tell_code;
    if (traits_.events_have_pids) outline->pid = run_told_of(type, box).pid;
    // An engine stamps its event a little after the fact.
    const ContainerEvent event{type, std::move(outline), at(clock_ + 2), code};
    if (!told) return;
    for (int i = 0; i < (traits_.events_are_doubled ? 2 : 1); ++i)
        stream_.push_back(event);
}

Result<Inspection> TrackerWorld::inspect_now(const std::string& id) const {
    const auto found = boxes_.find(id);
    if (found == boxes_.end() || found->second.removed)
        return EngineError{EngineError::Kind::not_found, "none"};
    const Box& box = found->second;
    Inspection answer;
    answer.container = box.now;
    answer.alive = box.now->pid != 0;
    if (!answer.alive) {
        answer.exit_code = box.runs.back().code;
        answer.finished = box.runs.back().ended;
    }
    return answer;
}

std::vector<ContainerPtr> TrackerWorld::list_now() const {
    std::vector<ContainerPtr> alive;
    for (const auto& [id, box] : boxes_) {
        if (!box.now || box.now->pid == 0) continue;
        alive.push_back(box.now);
    }
    return alive;
}

void TrackerWorld::cut() {
    history_ += "CUT; ";
    cut_ = true;
    for (auto& [id, box] : boxes_) {
        box.may_learn_silently = box.unlearned.has_value();
        if (traits_.engine_forgets && !box.unlearned) forget(box);
    }
    tracker_.on_stream_lost();
    inquiries_.clear();
    list_answer_.reset();
    const std::size_t lost = stream_.size() - std::min(stream_.size(), traits_.replayed);
    stream_.erase(stream_.begin(), stream_.begin() + static_cast<std::ptrdiff_t>(lost));
    open_stream();
}

// Pids are never used again here.
const TrackerWorld::Run* TrackerWorld::run_with(const Held& held) const {
    const auto& runs = boxes_.at(held.id).runs;
    const auto found = std::ranges::find(runs, held.pid, &Run::pid);
    return found != runs.end() ? &*found : nullptr;
}

void TrackerWorld::tell_by_kernel(std::size_t index) {
    const Held held = held_.at(index);
    held_.erase(held_.begin() + static_cast<std::ptrdiff_t>(index));
    history_ += "kernel tells of " + held.id + "; ";
    ExitReport report = end_by(Cause::kernel);
    if (!held.gone) {
        const Run& run = *run_with(held);
        report.time = run.ended;
        if (traits_.kernel_tells_code) report.exit_code = run.code;
    }
    tracker_.on_process_exit(held.id, held.pid, report, now_);
}

void TrackerWorld::mark_told(const std::string& id, const std::function<bool(const Run&)>& which) {
    for (Run& run : boxes_.at(id).runs)
        run.told = run.told || (!run.untraceable && which(run));
}

// --- the steps
// ------------------------------------------------------------------------------------------------

std::vector<TrackerWorld::Choice> TrackerWorld::all_choices() const {
    std::vector<Choice> result;
    if (!script_.empty()) result.push_back({Step::deed});
    if (!stream_.empty()) result.push_back({Step::deliver});
    if (list_wanted_) result.push_back({Step::list_asked});
    if (list_answer_) result.push_back({Step::list_answer});
    for (std::size_t i = 0; i < inquiries_.size(); ++i) {
        result.push_back({inquiries_[i].answer ? Step::inspect_answer : Step::inspect_asked, i});
    }
    for (std::size_t i = 0; i < held_.size(); ++i) {
        const Run* const run = run_with(held_[i]);
        if (run != nullptr && run->ended) result.push_back({Step::kernel, i});
    }
    std::size_t number = 0;
    for (const auto& [id, box] : boxes_) {
        if (box.unlearned && (!box.has_forgotten || traits_.ends_told_again))
            result.push_back({Step::learn, number});
        if (box.unlearned && box.may_learn_silently) result.push_back({Step::learn_silently, number});
        ++number;
    }
    if (traits_.can_be_cut && !cut_) result.push_back({Step::cut});
    return result;
}

std::size_t TrackerWorld::choices() const {
    return all_choices().size();
}

void TrackerWorld::take(std::size_t choice) {
    const Choice taken = all_choices().at(choice);
    switch (taken.step) {
        case Step::deed: {
            const Deed deed = script_.front();
            script_.pop_front();
            return perform(deed, true);
        }
        case Step::deliver:
            return deliver();
        case Step::list_asked:
            history_ += "list; ";
            list_wanted_ = false;
            list_answer_ = list_now();
            return;
        case Step::list_answer:
            return answer_list();
        case Step::inspect_asked:
            history_ += "inspect " + inquiries_[taken.index].id + "; ";
            inquiries_[taken.index].answer =
                std::make_shared<const Result<Inspection>>(inspect_now(inquiries_[taken.index].id));
            return;
        case Step::inspect_answer: {
            const Inquiry inquiry = inquiries_[taken.index];
            const bool alive = *inquiry.answer && inquiry.answer->value().alive;
            history_ += "inspected " + inquiry.id +
                        (alive             ? " alive; "
                         : *inquiry.answer ? " dead; "
                                           : " gone; ");
            inquiries_.erase(inquiries_.begin() + static_cast<std::ptrdiff_t>(taken.index));
            return tracker_.on_inspected(inquiry.id, *inquiry.answer, now_);
        }
        case Step::kernel:
            return tell_by_kernel(taken.index);
        case Step::learn:
        case Step::learn_silently: {
            auto& [id, box] = *std::next(boxes_.begin(), static_cast<std::ptrdiff_t>(taken.index));
            const bool silently = taken.step == Step::learn_silently;
            history_ += "the engine learns of the end of " + id + (silently ? " silently; " : "; ");
            return learn(box, !silently);
        }
        case Step::cut:
            return cut();
    }
}

void TrackerWorld::deliver() {
    const ContainerEvent event = stream_.front();
    stream_.pop_front();
    last_told_ = event.time;
    history_ += "told of " + event.container->id + " " + fakes::word(event.type) + "; ";
    if (event.type == ContainerEvent::Type::started) {
        mark_told(event.container->id, [&](const Run& run) {
            return run.started < event.time && event.time < run.started + std::chrono::milliseconds(5);
        });
    }
    tracker_.on_event(event, now_);
}

void TrackerWorld::answer_list() {
    history_ += "listed; ";
    auto answer = *std::exchange(list_answer_, std::nullopt);
    for (ContainerPtr& entry : answer) {
        if (traits_.list_is_complete) {
            mark_told(entry->id, [&](const Run& run) { return run.pid == entry->pid; });
            continue;
        }
        // Says that the container is alive, and not in which run.
        auto outline = std::make_shared<Container>(*entry);
        outline->pid = 0;
        outline->started.reset();
        entry = std::move(outline);
    }
    tracker_.on_list(answer, now_);
}

bool TrackerWorld::let_time_pass() {
    const auto deadline = tracker_.next_deadline();
    if (!deadline) return false;
    history_ += "time; ";
    now_ = *deadline;
    tracker_.on_deadline(now_);
    return true;
}

void TrackerWorld::inspect(const std::string& id) {
    inquiries_.push_back({id, nullptr});
}

bool TrackerWorld::lives(const std::string& id) {
    const auto held = std::ranges::find(held_, id, &Held::id);
    return held != held_.end() && !held->gone && !run_with(*held)->ended;
}

void TrackerWorld::publish(Change change) {
    if (const auto* started = std::get_if<ContainerStarted>(&change)) {
        Published& it = published_[started->container->id];
        history_ += "<Started " + started->container->id + "> ";
        if (std::exchange(it.alive, true)) it.wrong = "started twice";
        it.started.push_back(*started);
        if (!traits_.kernel_tells || started->container->pid == 0) return;
        Held held{started->container->id, started->container->pid};
        const Run* const run = run_with(held);
        held.gone = run != nullptr && run->ended;
        held_.push_back(std::move(held));
    } else if (const auto* exited = std::get_if<ContainerExited>(&change)) {
        Published& it = published_[exited->container->id];
        history_ += "<Exited " + exited->container->id + "> ";
        if (!std::exchange(it.alive, false)) it.wrong = "exited without a start";
        it.exited.push_back(*exited);
        std::erase_if(held_, [&](const Held& held) { return held.id == exited->container->id; });
    }
}

// --- the verdict
// ----------------------------------------------------------------------------------------------

std::string TrackerWorld::verdict() const {
    for (const auto& [id, box] : boxes_) {
        if (std::string wrong = verdict_of(id, box); !wrong.empty()) return id + ": " + wrong;
    }
    return {};
}

std::string TrackerWorld::verdict_of(const std::string& id, const Box& box) const {
    const ContainerPtr shown = portfolio_.find(id);
    const bool alive = box.lives();
    if (alive != static_cast<bool>(shown)) return alive ? "alive, but not shown" : "a ghost";
    if (alive && !shown->is_same_run(*box.now)) return "another run is shown";
    if (alive && shown->paused != box.now->paused) return "paused is wrong";
    if (alive && shown->name != box.now->name) return "name is wrong";

    const auto told = static_cast<std::size_t>(std::ranges::count(box.runs, true, &Run::told));
    const auto found = published_.find(id);
    if (found == published_.end()) return told == 0 ? "" : "nothing was published";
    const Published& published = found->second;
    if (!published.wrong.empty()) return published.wrong;
    if (published.started.size() > box.runs.size()) return "a run was invented";
    for (auto one = published.started.begin(); one != published.started.end(); ++one) {
        const std::uint32_t pid = one->container->pid;
        const auto is_same = [pid](const ContainerStarted& other) { return other.container->pid == pid; };
        if (pid != 0 && std::any_of(std::next(one), published.started.end(), is_same))
            return "a run was told twice";
    }
    // Where the end of one run and the start of the next are lost together, nobody can count runs.
    if (cut_ && traits_.replayed != everything) return {};
    // Of runs whose ends are told late, or never, one may be taken for another.
    const bool may_be_taken =
        traits_.exits_told_late || std::ranges::any_of(box.runs, std::identity(), &Run::untraceable);
    if (published.started.size() < told && !may_be_taken) return "a run was not published";
    for (const ContainerExited& exited : published.exited) {
        bool of_a_run = !exited.exit_code;
        for (const Run& run : box.runs)
            of_a_run = of_a_run || (run.ended && run.code == exited.exit_code);
        if (!of_a_run) return "a wrong exit code";
        // Where the container has gone before its process could be held, a start that is told twice may be
        // another's.
        // What is told of a run after the next one's start is too late.
        const bool may_be_lost =
            traits_.exits_told_late || (traits_.kernel_tells && traits_.events_are_doubled);
        if (!exited.exit_code && !cut_ && traits_.exit_events_tell_code && !may_be_lost)
            return "an exit code was lost";
    }
    return {};
}

std::string TrackerWorld::history() const {
    return history_;
}

}  // namespace shorewatch::testing
