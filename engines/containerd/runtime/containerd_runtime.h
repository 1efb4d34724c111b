// Containers made and run on containerd: its containers, tasks and processes, call by call.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "engines/containerd/containerd_client.h"
#include "engines/engine_runtime.h"
#include "engines/error_text.h"
#include "engines/grpc/connection.h"

namespace shorewatch::containerd {

class ContainerdClient::Runtime final : public EngineRuntime {
  public:
    // owner has it.
    explicit Runtime(ContainerdClient& owner) : owner_(owner) {}

    // A message of the event stream, in a namespace that is watched.
    void take_event(std::string_view bytes);

    void observe(RuntimeObserver* observer) override { observer_ = observer; }
    void version(Reply<EngineVersion> reply) override;
    void image_config(const std::string& name_space, const std::string& image,
                      Reply<std::string> reply) override;
    [[nodiscard]] Result<bool> wants_terminal(const std::string& process_json) const override;
    [[nodiscard]] bool watches(std::string_view name_space) const override;
    void create_container(const NewContainer& container, Reply<ContainerRecord> reply) override;
    void container(const ContainerPlace& place, Reply<ContainerRecord> reply) override;
    void delete_container(const ContainerPlace& place, Done reply) override;
    void create_task(const ContainerPlace& place, const ProcessStreams& streams,
                     const std::string& checkpoint, Reply<std::uint32_t> reply) override;

    // In task_calls.cpp.
    void task_state(const ContainerPlace& place, Reply<ProcessState> reply) override;
    void delete_task(const ContainerPlace& place, Reply<ProcessEnd> reply) override;
    void remove_task(const ContainerPlace& place, Done reply) override;
    void exec(const ContainerPlace& place, const std::string& name, const std::string& process_json,
              const ProcessStreams& streams, Done reply) override;
    void start(const ContainerPlace& place, const std::string& process, Reply<std::uint32_t> reply) override;
    void process_state(const ContainerPlace& place, const std::string& process,
                       Reply<ProcessState> reply) override;
    void delete_process(const ContainerPlace& place, const std::string& process,
                        Reply<ProcessEnd> reply) override;
    void signal(const ContainerPlace& place, const std::string& process, int signal, Done reply) override;
    void resize(const ContainerPlace& place, const std::string& process, std::uint32_t width,
                std::uint32_t height, Done reply) override;
    void close_stdin(const ContainerPlace& place, const std::string& process, Done reply) override;
    void pause(const ContainerPlace& place, Done reply) override;
    void resume(const ContainerPlace& place, Done reply) override;
    void metrics(const ContainerPlace& place, Reply<Metrics> reply) override;
    void processes(const ContainerPlace& place, Reply<std::vector<ListedProcess>> reply) override;
    void update(const ContainerPlace& place, const std::string& resources_json, Done reply) override;
    void checkpoint(const ContainerPlace& place, const std::string& folder, bool exit, Done reply) override;

  private:
    // One call to containerd, in a container's namespace.
    struct Call {
        const ContainerPlace& place;
        const char* method;  // below "/containerd.services."
        std::string message;
        std::string purpose;  // completes "cannot …"
    };
    // The session that carries calls now; null: refused will be called with the reason.
    [[nodiscard]] Session* session(const std::string& purpose, std::function<void(EngineError)> refused);
    // Asks, and has done called with an answer that is good, or refused with the error in it. Calls of a
    // session that has ended meanwhile are forgotten.
    void ask(Call call, std::chrono::milliseconds deadline, std::function<void(const std::string&)> done,
             std::function<void(EngineError)> refused);
    void ask(Call call, std::function<void(const std::string&)> done,
             std::function<void(EngineError)> refused) {
        ask(std::move(call), owner_.options_.control_deadline, std::move(done), std::move(refused));
    }
    // One whose good answer is an empty one.
    void act(Call call, Done reply);
    // One whose good answer decode understands.
    template <typename Value, typename Decode>
    void ask_for(Call call, Decode decode, Reply<Value> reply);
    // Never within the call that asked.
    void refuse(EngineError::Kind kind, const std::string& purpose, std::string_view cause,
                std::function<void(EngineError)> reply);
    void create_task_of(const ContainerPlace& place, const ProcessStreams& streams,
                        const std::string& checkpoint, const std::string& container,
                        const Reply<std::uint32_t>& reply);

    ContainerdClient& owner_;
    RuntimeObserver* observer_ = nullptr;
};

template <typename Value, typename Decode>
void ContainerdClient::Runtime::ask_for(Call call, Decode decode, Reply<Value> reply) {
    auto done = [this, purpose = call.purpose, decode, reply](const std::string& message) {
        auto value = decode(message);
        if (value) return reply(std::move(*value));
        reply(
            make_error(EngineError::Kind::protocol, purpose, owner_.endpoint_, "the answer makes no sense"));
    };
    ask(std::move(call), std::move(done), std::move(reply));
}

}  // namespace shorewatch::containerd
