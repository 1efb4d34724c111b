#include "engines/grpc/connection.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <optional>

#include <grpc/grpc.h>
#include <grpcpp/create_channel_posix.h>
#include <grpcpp/generic/generic_stub.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "engines/error_text.h"
#include "engines/grpc/call_state.h"
#include "engines/socket_file.h"
#include "engines/support/unique_fd.h"

namespace shorewatch::grpc {

namespace {

struct Socket {
    UniqueFd fd;
    int error = 0;  // errno, if there is no fd
};

Socket connect_to(const std::string& path) {
    Socket socket;
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.size() >= sizeof address.sun_path) return {{}, ENAMETOOLONG};
    std::memcpy(address.sun_path, path.data(), path.size());
    socket.fd.reset(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!socket.fd) return {{}, errno};
    if (::connect(socket.fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0)
        return socket;
    return {{}, errno};
}

// No keepalive: containerd ends connections that ask too often, and a unix socket needs none.
::grpc::ChannelArguments channel_arguments() {
    ::grpc::ChannelArguments arguments;
    // Else it is made of the socket's path, which some servers refuse.
    arguments.SetString(GRPC_ARG_DEFAULT_AUTHORITY, "localhost");
    arguments.SetMaxReceiveMessageSize(static_cast<int>(Connection::largest_message));
    return arguments;
}

}  // namespace

Call::Call(std::shared_ptr<CallState> state) noexcept : state_(std::move(state)) {}

Call& Call::operator=(Call&& other) noexcept {
    if (this != &other) {
        reset();
        state_ = std::move(other.state_);
    }
    return *this;
}

Call::~Call() {
    reset();
}

void Call::reset() noexcept {
    const auto state = std::exchange(state_, nullptr);
    if (state) state->cancel();
}

struct Connection::Core {
    Core(Library::Inside& library, EventLoop& loop, const Endpoint& endpoint, UniqueFd fd)
        : Core(library, loop, endpoint,
               ::grpc::CreateCustomInsecureChannelFromFd("shorewatch", fd.release(), channel_arguments())) {}
    Core(Library::Inside& library, EventLoop& loop, const Endpoint& endpoint,
         const std::shared_ptr<::grpc::Channel>& channel)
        : home{std::make_shared<Mailbox>(loop), library.census, endpoint, &library.queue}, stub(channel) {
        library.keep(channel);
    }

    Home home;
    ::grpc::GenericStub stub;
    std::vector<std::weak_ptr<CallState>> calls;  // those under way, and some that are over

    void remember(const std::shared_ptr<CallState>& call) {
        if (calls.size() == calls.capacity()) std::erase_if(calls, [](const auto& c) { return c.expired(); });
        calls.push_back(call);
    }
};

Connection::Connection(std::unique_ptr<Core> core, const Peer& peer) : core_(std::move(core)), peer_(peer) {}

Connection::~Connection() {
    core_->home.mailbox->shut();
    for (const auto& weak : core_->calls) {
        if (const auto call = weak.lock()) call->cancel();
    }
}

Result<std::unique_ptr<Connection>> Connection::open(Library& library, EventLoop& loop,
                                                     const Endpoint& endpoint, std::string_view purpose) {
    using Kind = EngineError::Kind;
    if (endpoint.transport != Endpoint::Transport::unix_socket) {
        return make_error(Kind::unreachable, purpose, endpoint,
                          "engines of this type are watched on unix sockets only; give its path as endpoint");
    }
    const SocketFile file(endpoint);
    Socket socket = connect_to(file.name());
    if (!socket.fd) {
        return make_error(Kind::unreachable, purpose, endpoint, unix_socket_cause(file.name(), socket.error));
    }
    const Peer peer = peer_of(socket.fd.get());
    if (const std::string why = distrust_of(endpoint, peer); !why.empty())
        return make_error(Kind::unreachable, purpose, endpoint, why);
    auto core = std::make_unique<Core>(library.inside(), loop, endpoint, std::move(socket.fd));
    return std::unique_ptr<Connection>(new Connection(std::move(core), peer));
}

Call Connection::call(Request request, Reply reply) {
    auto state = std::make_shared<UnaryCall>(core_->home, std::move(request), std::move(reply));
    core_->remember(state);
    state->start(core_->stub);
    return Call(std::move(state));
}

Call Connection::stream(Request request, StreamHandlers handlers) {
    auto state = std::make_shared<StreamCall>(core_->home, std::move(request), std::move(handlers));
    core_->remember(state);
    state->start(core_->stub);
    return Call(std::move(state));
}

}  // namespace shorewatch::grpc
