#include "tests/fakes/grpc_server.h"

#include <atomic>
#include <chrono>
#include <deque>
#include <mutex>
#include <stdexcept>
#include <utility>

#include <grpcpp/generic/async_generic_service.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>

#include "tests/fakes/temporary_folder.h"

namespace shorewatch::fakes {

namespace {

std::string text_of(const ::grpc::ByteBuffer& buffer) {
    std::vector<::grpc::Slice> slices;
    static_cast<void>(buffer.Dump(&slices));
    std::string text;
    for (const ::grpc::Slice& slice : slices)
        text.append(reinterpret_cast<const char*>(slice.begin()), slice.size());
    return text;
}

class Reactor;

// What the test has of a call; the reactor, which gRPC has, may be gone before.
class Exchange final : public GrpcExchange {
  public:
    void send(std::string message) override;
    void finish(int code, std::string text) override;
    [[nodiscard]] bool cancelled() const override { return cancelled_; }

    std::mutex mutex;
    Reactor* reactor = nullptr;  // guarded by mutex; null when it is over
    std::atomic<bool> cancelled_ = false;
};

class Reactor final : public ::grpc::ServerGenericBidiReactor {
  public:
    Reactor(::grpc::GenericCallbackServerContext* context, const GrpcServer::Handler& handler)
        : handler_(handler), exchange_(std::make_shared<Exchange>()) {
        exchange_->reactor = this;
        exchange_->method = context->method();
        for (const auto& [key, value] : context->client_metadata())
            exchange_->metadata.emplace(std::string(key.data(), key.size()),
                                        std::string(value.data(), value.size()));
        StartRead(&read_);
    }

    void OnReadDone(bool ok) override {
        if (!ok) {
            const std::lock_guard lock(exchange_->mutex);
            return end(::grpc::Status(::grpc::StatusCode::CANCELLED, "no request"));
        }
        exchange_->request = text_of(read_);
        handler_(exchange_);
    }
    void OnCancel() override {
        exchange_->cancelled_ = true;
        const auto keep = exchange_;
        {
            const std::lock_guard lock(exchange_->mutex);
            waiting_.clear();
            end(::grpc::Status::CANCELLED);
        }
        // This may be gone by now.
        if (keep->when_cancelled) keep->when_cancelled();
    }
    void OnWriteDone(bool ok) override {
        const std::lock_guard lock(exchange_->mutex);
        writing_ = false;
        if (!ok) waiting_.clear();
        go_on();
    }
    void OnDone() override {
        {
            const std::lock_guard lock(exchange_->mutex);
            exchange_->reactor = nullptr;
        }
        delete this;  // gRPC's own idiom for reactors
    }

    // The exchange's mutex is held.
    void add(std::string message) {
        waiting_.push_back(std::move(message));
        go_on();
    }
    void end(::grpc::Status status) {
        if (!end_) end_ = std::make_unique<::grpc::Status>(std::move(status));
        go_on();
    }

  private:
    void go_on() {
        if (writing_ || finished_) return;
        if (!waiting_.empty()) {
            const ::grpc::Slice slice(waiting_.front());
            waiting_.pop_front();
            write_ = ::grpc::ByteBuffer(&slice, 1);
            writing_ = true;
            StartWrite(&write_);
        } else if (end_) {
            finished_ = true;
            Finish(*end_);
        }
    }

    const GrpcServer::Handler& handler_;
    std::shared_ptr<Exchange> exchange_;
    ::grpc::ByteBuffer read_;
    ::grpc::ByteBuffer write_;
    std::deque<std::string> waiting_;
    std::unique_ptr<::grpc::Status> end_;
    bool writing_ = false;
    bool finished_ = false;
};

void Exchange::send(std::string message) {
    const std::lock_guard lock(mutex);
    if (reactor != nullptr) reactor->add(std::move(message));
}

void Exchange::finish(int code, std::string text) {
    const std::lock_guard lock(mutex);
    if (reactor != nullptr) {
        reactor->end(::grpc::Status(static_cast<::grpc::StatusCode>(code), std::move(text)));
    }
}

class Service final : public ::grpc::CallbackGenericService {
  public:
    explicit Service(GrpcServer::Handler handler) : handler_(std::move(handler)) {}

    ::grpc::ServerGenericBidiReactor* CreateReactor(::grpc::GenericCallbackServerContext* context) override {
        return new Reactor(context, handler_);
    }

  private:
    const GrpcServer::Handler handler_;
};

}  // namespace

struct GrpcServer::Core {
    explicit Core(Handler handler) : service(std::move(handler)) {
        ::grpc::ServerBuilder builder;
        builder.AddListeningPort("unix:" + socket(), ::grpc::InsecureServerCredentials());
        builder.RegisterCallbackGenericService(&service);
        builder.SetMaxReceiveMessageSize(-1);
        server = builder.BuildAndStart();
        if (!server) throw std::runtime_error("no gRPC server on " + socket());
    }

    [[nodiscard]] std::string socket() const { return (folder.path() / "grpc.sock").native(); }

    TemporaryFolder folder;
    Service service;
    std::unique_ptr<::grpc::Server> server;
};

GrpcServer::GrpcServer(Handler handler) : core_(std::make_unique<Core>(std::move(handler))) {}

GrpcServer::~GrpcServer() {
    stop();
}

Endpoint GrpcServer::endpoint() const {
    return Endpoint::parse("unix://" + core_->socket());
}

void GrpcServer::stop() {
    if (!core_->server) return;
    core_->server->Shutdown(std::chrono::system_clock::now());
    core_->server.reset();
}

}  // namespace shorewatch::fakes
