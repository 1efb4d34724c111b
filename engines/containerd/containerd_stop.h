// The stop of one container: its stop signal, its end or the time that it is given, and SIGKILL.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "engines/containerd/containerd_session.h"
#include "engines/containerd/messages.h"
#include "engines/engine_control.h"

namespace shorewatch::containerd {

// containerd has no such call. Its end is waited for by one call, which is asked for together with the
// signal: it is answered at once if the process is faster. Held by the calls under way, which end with the
// session.
class ContainerdClient::Stopping : public std::enable_shared_from_this<ContainerdClient::Stopping> {
  public:
    Stopping(Session& session, Identifier identifier, std::chrono::seconds timeout,
             EngineControl::Done reply);

    void start();

  private:
    void take_container(const grpc::Answer& answer);
    void send(int signal);
    void take_sent(int signal, const grpc::Answer& answer);
    void wait();
    void take_end(const grpc::Answer& answer);
    void look(const EngineError& error);
    void note_end();
    void give(std::optional<EngineError> error);
    [[nodiscard]] grpc::Request request(const char* method, std::string message,
                                        std::chrono::milliseconds deadline) const;

    Session& session_;
    const Identifier identifier_;
    const std::chrono::seconds timeout_;
    const std::string purpose_;
    EngineControl::Done reply_;  // empty: given
    bool sent_ = false;          // the first signal, to a process that was there
    bool ended_ = false;
    Timer patience_;
};

}  // namespace shorewatch::containerd
