// A LifecycleObserver that notes all it is told.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "engines/engine_client.h"
#include "tests/fakes/event_words.h"

namespace shorewatch::fakes {

class RecordingObserver final : public LifecycleObserver {
  public:
    enum class Call { stream_open, identity, event, gap, stream_end };

    std::size_t opens = 0;
    std::vector<EngineIdentity> identities;
    std::vector<ContainerEvent> events;
    std::vector<std::string> gaps;
    std::vector<EngineError> ends;
    std::vector<Call> calls;  // all, in order

    // Called last in each call, when set.
    std::function<void(Call)> then;

    void on_stream_open() override {
        ++opens;
        note(Call::stream_open);
    }
    void on_identity(const EngineIdentity& identity) override {
        identities.push_back(identity);
        note(Call::identity);
    }
    void on_event(const ContainerEvent& event) override {
        events.push_back(event);
        note(Call::event);
    }
    void on_gap(const std::string& why) override {
        gaps.push_back(why);
        note(Call::gap);
    }
    void on_stream_end(const EngineError& error) override {
        ends.push_back(error);
        note(Call::stream_end);
    }

    // "started web, exited web 7"
    [[nodiscard]] std::string story() const {
        std::string text;
        for (const ContainerEvent& event : events) {
            if (!text.empty()) text += ", ";
            text += std::string(word(event.type)) + " " + event.container->name;
            if (event.exit_code) text += " " + std::to_string(*event.exit_code);
        }
        return text;
    }

  private:
    void note(Call call) {
        calls.push_back(call);
        if (then) then(call);
    }
};

}  // namespace shorewatch::fakes
