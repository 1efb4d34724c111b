#include "daemon/watcher.h"

#include <exception>
#include <utility>

#include <pthread.h>

#include "engines/support/log.h"

namespace shorewatch {

Watcher::Watcher(std::string name, Endpoint endpoint, MakeClient make_client, Publish publish,
                 InitProcesses* processes, EngineWatch::Timing timing,
                 std::optional<EngineWatch::RuntimeUse> runtime, DeploymentDesk::Tell tell_deployment)
    : name_(std::move(name)),
      endpoint_(std::move(endpoint)),
      publish_(std::move(publish)),
      processes_(processes),
      timing_(timing),
      runtime_(std::move(runtime)),
      tell_deployment_(std::move(tell_deployment)),
      thread_([this, make = std::move(make_client)] { run(make); }) {}

Watcher::~Watcher() {
    stop();
    thread_.join();
}

void Watcher::stop() {
    loop_.stop();
}

void Watcher::resync() {
    loop_.post([this] {
        if (watch_ != nullptr) watch_->resync();
    });
}

void Watcher::control(ControlRequest request, ControlReply reply) {
    loop_.post([this, what = std::move(request), call = std::move(reply)] {
        if (watch_ != nullptr) return watch_->control(what, call);
        call(EngineError{EngineError::Kind::unreachable, "engine " + name_ + " can't be watched"});
    });
}

void Watcher::runtime(RuntimeRequest request, RuntimeReply reply) {
    loop_.post([this, what = std::move(request), call = std::move(reply)] {
        using Kind = EngineError::Kind;
        if (watch_ == nullptr)
            return call(EngineError{Kind::unreachable, "engine " + name_ + " can't be watched"});
        Runtime* const runtime = watch_->runtime();
        if (runtime == nullptr)
            return call(EngineError{Kind::not_supported, "engine " + name_ + " has no runtime"});
        what(*runtime, call);
    });
}

void Watcher::deploy(DeploymentRequest request, DeploymentReply reply) {
    loop_.post([this, what = std::move(request), call = std::move(reply)] {
        if (watch_ != nullptr) return watch_->deploy(what, call);
        call(EngineError{EngineError::Kind::unreachable, "engine " + name_ + " can't be watched"});
    });
}

bool Watcher::is_turning() {
    if (answered_.load(std::memory_order_relaxed) != asked_) return false;
    loop_.post([this, number = ++asked_] { answered_.store(number, std::memory_order_relaxed); });
    return true;
}

void Watcher::run(const MakeClient& make_client) noexcept {
    pthread_setname_np(pthread_self(), ("watch " + name_).substr(0, 15).c_str());
    try {
        return watch(make_client);
    } catch (const std::exception& error) {
        watch_ = nullptr;
        const std::string what = "cannot watch this engine: " + std::string(error.what());
        log::error("engine " + name_ + ": " + what, {{"SHOREWATCH_ENGINE", name_}});
        publish_(EngineChanged{{EngineState::unavailable, what, real_time_now(), {}}});
    }
    turn_without_watch();
}

void Watcher::watch(const MakeClient& make_client) {
    EngineWatch watch(loop_, name_, endpoint_, make_client(loop_), publish_, processes_, timing_, runtime_,
                      tell_deployment_);
    watch_ = &watch;
    loop_.post([&watch] { watch.start(); });
    turn(watch);
    watch_ = nullptr;
}

// Turns the loop until it is stopped. An exception means a fault of ours in the handling of something the
// engine said: the connection begins anew, other engines and the daemon go on.
void Watcher::turn(EngineWatch& watch) {
    while (true) {
        try {
            return loop_.run();
        } catch (const std::exception& error) {
            const std::string what = "internal error: " + std::string(error.what()) + "; beginning anew";
            log::error("engine " + name_ + ": " + what, {{"SHOREWATCH_ENGINE", name_}});
            watch.abandon({EngineError::Kind::protocol, what});
        }
    }
}

// Until it is stopped, whoever asks for something is told that there is no watch.
void Watcher::turn_without_watch() {
    while (true) {
        try {
            return loop_.run();
        } catch (const std::exception& error) {
            log::error("engine " + name_ + ": internal error: " + error.what(),
                       {{"SHOREWATCH_ENGINE", name_}});
        }
    }
}

}  // namespace shorewatch
