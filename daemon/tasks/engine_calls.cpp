#include "daemon/tasks/engine_calls.h"

#include <algorithm>
#include <utility>

#include "engines/engine_control.h"
#include "engines/support/text.h"

namespace shorewatch {

namespace {

EngineError no_answer(const std::string& what, Clock::duration within) {
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(within).count();
    return {EngineError::Kind::timeout,
            printable(what) + ": no answer from the engine within " + std::to_string(seconds) + " s"};
}

}  // namespace

bool is_outage(const EngineError& error) noexcept {
    return error.kind == EngineError::Kind::unreachable || error.kind == EngineError::Kind::busy;
}

Clock::duration next_pause(Clock::duration last) noexcept {
    constexpr Clock::duration first = std::chrono::seconds(1);
    constexpr Clock::duration longest = std::chrono::minutes(5);
    return std::clamp(last * 2, first, longest);
}

template <typename Value>
void EngineCalls::put(Question<Value> question) {
    auto shared = std::make_shared<Question<Value>>(std::move(question));
    if (!shared->counts || under_way_ < most_at_a_time) return launch(shared);
    waiting_.push_back({[this, shared] { launch(shared); },
                        [shared](const EngineError& error) {
                            if (shared->ended) shared->ended();
                            shared->reply(error);
                        }});
}

template <typename Value>
void EngineCalls::launch(const std::shared_ptr<Question<Value>>& question) {
    auto call = std::make_shared<Call>();
    call->counts = question->counts;
    if (call->counts) ++under_way_;
    call->deadline = alarms_.at(surroundings_.now() + question->deadline, [this, call, question] {
        end(*call);
        question->reply(no_answer(question->what, question->deadline));
    });
    question->ask([this, alive = std::weak_ptr(alive_), call, question](Result<Value> answer) {
        if (alive.expired()) return;
        if (question->ended) question->ended();
        if (call->answered) {
            if (question->late) question->late(std::move(answer));
            return;
        }
        end(*call);
        question->reply(std::move(answer));
    });
}

void EngineCalls::end(Call& call) {
    call.answered = true;
    call.deadline.reset();
    if (!call.counts) return;
    --under_way_;
    if (waiting_.empty()) return;
    const Waiting next = std::move(waiting_.front());
    waiting_.pop_front();
    next.launch();
}

void EngineCalls::put_done(std::string what, Clock::duration deadline, bool counts,
                           std::function<void(Done)> ask, Done reply, std::function<void()> ended) {
    put(Question<Nothing>{std::move(what),
                          deadline,
                          counts,
                          [ask = std::move(ask)](const std::function<void(Result<Nothing>)>& answer) {
                              ask([answer](std::optional<EngineError> error) {
                                  answer(error ? Result<Nothing>(std::move(*error))
                                               : Result<Nothing>(Nothing{}));
                              });
                          },
                          [reply = std::move(reply)](const Result<Nothing>& answer) {
                              reply(answer ? std::nullopt : std::optional(answer.error()));
                          },
                          {},
                          std::move(ended)});
}

void EngineCalls::pull(const std::string& image, const std::optional<RegistryCredentials>& credentials,
                       Done reply) {
    put_done(
        "pull " + image, deadlines::pull, false,
        [this, image, credentials](Done answer) { backend_.pull(image, credentials, std::move(answer)); },
        std::move(reply));
}

void EngineCalls::find_image(const std::string& image, Done reply) {
    put_done(
        "look for image " + image, deadlines::inspect, true,
        [this, image](Done answer) { backend_.find_image(image, std::move(answer)); }, std::move(reply));
}

void EngineCalls::list_images(ImagesReply reply) {
    put(Question<std::vector<DeployedImage>>{
        "list images", deadlines::inspect, true,
        [this](ImagesReply answer) { backend_.list_images(std::move(answer)); }, std::move(reply)});
}

void EngineCalls::create(const ContainerPlan& plan, TextReply reply,
                         std::function<void(const std::string&)> late) {
    put(Question<std::string>{"create container " + plan.name, deadlines::create, true,
                              [this, plan](TextReply answer) { backend_.create(plan, std::move(answer)); },
                              std::move(reply),
                              [late = std::move(late)](const Result<std::string>& answer) {
                                  if (answer) late(answer.value());
                              }});
}

void EngineCalls::start(const std::string& id, Done reply) {
    put_done(
        doing("start", id), deadlines::start, true,
        [this, id](Done answer) { backend_.start(id, std::move(answer)); }, std::move(reply));
}

void EngineCalls::stop(const std::string& id, std::chrono::seconds timeout, Done reply) {
    put_done(
        doing("stop", id), timeout + deadlines::stop, false,
        [this, id, timeout](Done answer) { backend_.stop(id, timeout, std::move(answer)); },
        std::move(reply));
}

void EngineCalls::inspect(const std::string& id_or_name, ContainerReply reply) {
    put(Question<DeployedContainer>{
        doing("inspect", id_or_name), deadlines::inspect, true,
        [this, id_or_name](ContainerReply answer) { backend_.inspect(id_or_name, std::move(answer)); },
        std::move(reply)});
}

void EngineCalls::find_containers(const std::string& label, ContainersReply reply) {
    put(Question<std::vector<DeployedContainer>>{
        "list containers", deadlines::list, true,
        [this, label](ContainersReply answer) { backend_.find_containers(label, std::move(answer)); },
        std::move(reply)});
}

void EngineCalls::remove(const std::string& id, Done reply) {
    put_done(
        doing("remove", id), deadlines::remove, true,
        [this, id](Done answer) { backend_.remove(id, std::move(answer)); }, std::move(reply));
}

void EngineCalls::create_volume(const std::string& name, const StringPairs& labels, Done reply,
                                std::function<void()> ended) {
    put_done(
        "create volume " + name, deadlines::create, true,
        [this, name, labels](Done answer) { backend_.create_volume(name, labels, std::move(answer)); },
        std::move(reply), std::move(ended));
}

void EngineCalls::remove_volume(const std::string& name, Done reply) {
    put_done(
        "remove volume " + name, deadlines::remove, true,
        [this, name](Done answer) { backend_.remove_volume(name, std::move(answer)); }, std::move(reply));
}

void EngineCalls::lose(const std::string& why) {
    const std::deque<Waiting> refused = std::exchange(waiting_, {});
    for (const Waiting& one : refused)
        one.refuse({EngineError::Kind::unreachable, why});
}

}  // namespace shorewatch
