// An engine with a REST API as an EngineClient: over HTTP, with one long answer as its event stream.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "engines/endpoint.h"
#include "engines/engine_client.h"
#include "engines/rest/dialect.h"
#include "engines/rest/recent_events.h"
#include "engines/session_holder.h"
#include "engines/support/event_loop.h"

namespace shorewatch::rest {

class Client : public EngineClient {
  public:
    // dialect is never null.
    Client(EventLoop& loop, Endpoint endpoint, std::unique_ptr<Dialect> dialect, const Options& options);
    Client(const Client&) = delete;
    Client& operator=(const Client&) = delete;
    ~Client() override;

    [[nodiscard]] std::string_view type() const override { return dialect_->type(); }
    [[nodiscard]] std::string api() const override { return endpoint_.url(); }

    // Throws std::logic_error when a stream is open already.
    void lifecycle_events(std::optional<RealTime> since, LifecycleObserver& observer) override;
    // Without an open stream, these two are answered by an error.
    void list(ListReply reply) override;
    void inspect(const std::string& id, InspectReply reply) override;
    [[nodiscard]] EngineControl& control() override;
    [[nodiscard]] EngineDeployment* deployment() override;
    void close() override;

  private:
    class Control;
    class Deployment;
    class Session;

    [[nodiscard]] Result<std::vector<ContainerPtr>> decoded_list(Result<http::Response> result);
    [[nodiscard]] Result<Inspection> decoded_inspection(const std::string& id, Result<http::Response> result);
    void supplement(const std::string& path, Inspection inspection, InspectReply reply);
    void take_supplement(Inspection& inspection, Result<http::Response> result);

    EventLoop& loop_;
    Endpoint endpoint_;
    std::unique_ptr<Dialect> dialect_;
    Options options_;
    RecentEvents recent_;            // over all streams of this client
    std::optional<RealTime> began_;  // from when on the first stream told
    EngineIdentity identity_;        // as last told: an engine that comes back is most likely the same
    SessionHolder<Session> session_;
    std::unique_ptr<Control> control_;
    std::unique_ptr<Deployment> deployment_;
};

}  // namespace shorewatch::rest
