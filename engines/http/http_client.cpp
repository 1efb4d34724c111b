#include "engines/http/http_client.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <exception>
#include <stdexcept>
#include <unordered_map>

#include <curl/curl.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "engines/http/curl_handles.h"
#include "engines/http/transfer.h"
#include "engines/socket_file.h"
#include "engines/support/wiping.h"

namespace shorewatch::http {

namespace {

using TransferPtr = std::shared_ptr<Transfer>;

// Never undone: a resolver thread that hangs (CURLOPT_QUICK_EXIT) may still run when the process ends.
// Requests have credentials of registries in their headers.
void initialise_libcurl() {
    static const CURLcode code = curl_global_init_mem(CURL_GLOBAL_DEFAULT, std::malloc, wiping_free,
                                                      wiping_realloc, ::strdup, std::calloc);
    if (code != CURLE_OK) throw std::runtime_error(curl_easy_strerror(code));
}

std::uint32_t epoll_events(int what) {
    return ((what & CURL_POLL_IN) != 0 ? EPOLLIN : 0U) | ((what & CURL_POLL_OUT) != 0 ? EPOLLOUT : 0U);
}

int curl_events(std::uint32_t revents) {
    // A hang-up or an error is best found by reading: that brings the last bytes and errno.
    const bool readable = (revents & (EPOLLIN | EPOLLHUP | EPOLLERR | EPOLLRDHUP)) != 0;
    const bool writable = (revents & EPOLLOUT) != 0;
    return (readable ? CURL_CSELECT_IN : 0) | (writable ? CURL_CSELECT_OUT : 0);
}

}  // namespace

const std::string* Head::find(std::string_view name) const noexcept {
    const auto found = std::ranges::find(headers, name, &std::pair<std::string, std::string>::first);
    return found != headers.end() ? &found->second : nullptr;
}

// The client's inside, which outlives it while it is calling back.
class Client::Core : public std::enable_shared_from_this<Client::Core> {
  public:
    Core(EventLoop& loop, Endpoint endpoint, std::size_t parallel);
    ~Core() { shut_down(); }
    Core(const Core&) = delete;
    Core& operator=(const Core&) = delete;

    [[nodiscard]] const Endpoint& endpoint() const noexcept { return endpoint_; }
    Exchange start(TransferPtr transfer);
    void forget(Transfer& transfer) noexcept;
    void shut_down() noexcept;

  private:
    static int on_socket(CURL*, curl_socket_t socket, int what, void* self, void*) noexcept;
    static int on_timer(CURLM*, long milliseconds, void* self) noexcept;

    template <typename Value>
    void set(CURLMoption option, Value value);
    void watch(curl_socket_t socket, int what);
    void act(curl_socket_t socket, int events);
    void collect();
    void send_waiting();
    void hand_to_curl(const TransferPtr& transfer);
    void end(Transfer& transfer, CURLcode code);
    void expire(Transfer& transfer);
    void tell_news();
    void take_from_curl(Transfer& transfer) noexcept;
    void deliver();
    void give_up();

    EventLoop& loop_;
    Endpoint endpoint_;
    SocketFile socket_;  // for as long as this is: connections to it are found again by its name
    std::size_t parallel_;
    std::size_t in_flight_ = 0;        // requests that libcurl has
    std::deque<TransferPtr> waiting_;  // requests that libcurl has not
    std::vector<TransferPtr>
        underway_;         // those that libcurl has, and those that ended and were not delivered
    bool broken_ = false;  // an exception was caught in one of libcurl's callbacks
    Timer curl_timer_;     // libcurl's
    Timer kick_;           // for what is to be delivered without libcurl's doing
    std::unordered_map<curl_socket_t, EventSource> sources_;
    MultiHandle multi_;  // last: destroying it calls on_socket and on_timer
};

Client::Core::Core(EventLoop& loop, Endpoint endpoint, std::size_t parallel)
    : loop_(loop),
      endpoint_(std::move(endpoint)),
      socket_(endpoint_),
      parallel_(std::max<std::size_t>(parallel, 1)),
      curl_timer_(loop, [this] { act(CURL_SOCKET_TIMEOUT, 0); }),
      kick_(loop, [this] { act(CURL_SOCKET_TIMEOUT, 0); }) {
    initialise_libcurl();
    multi_.reset(curl_multi_init());
    if (!multi_) throw std::runtime_error("libcurl gives no multi handle");
    // libcurl 7.88 leaves the sockets by which it wakes itself to programs that are started. Before
    // Linux 5.11 so be it.
    (void)close_range(STDERR_FILENO + 1, ~0U, CLOSE_RANGE_CLOEXEC);
    set(CURLMOPT_SOCKETFUNCTION, &Core::on_socket);
    set(CURLMOPT_SOCKETDATA, static_cast<void*>(this));
    set(CURLMOPT_TIMERFUNCTION, &Core::on_timer);
    set(CURLMOPT_TIMERDATA, static_cast<void*>(this));
    set(CURLMOPT_PIPELINING, static_cast<long>(CURLPIPE_NOTHING));
    // Connections kept, those in use included: the requests' and a stream's.
    set(CURLMOPT_MAXCONNECTS, static_cast<long>(parallel_ + 1));
}

template <typename Value>
void Client::Core::set(CURLMoption option, Value value) {
    const CURLMcode code = curl_multi_setopt(multi_.get(), option, value);
    if (code != CURLM_OK) throw std::runtime_error(curl_multi_strerror(code));
}

Exchange Client::Core::start(TransferPtr transfer) {
    transfer->core = this;
    if (transfer->is_stream()) {
        hand_to_curl(transfer);
    } else {
        waiting_.push_back(transfer);
        send_waiting();
    }
    return Exchange(std::move(transfer));
}

void Client::Core::send_waiting() {
    while (in_flight_ < parallel_ && !waiting_.empty()) {
        const TransferPtr next = std::move(waiting_.front());
        waiting_.pop_front();
        if (!next->cancelled()) hand_to_curl(next);
    }
}

void Client::Core::hand_to_curl(const TransferPtr& transfer) {
    underway_.push_back(transfer);
    try {
        transfer->prepare(endpoint_.is_local() ? socket_.name() : std::string());
        const CURLMcode code = curl_multi_add_handle(multi_.get(), transfer->easy());
        if (code != CURLM_OK) throw std::runtime_error(curl_multi_strerror(code));
    } catch (const std::exception& failure) {
        transfer->place = Transfer::Place::finished;
        transfer->refuse(failure.what());
        kick_.arm_after({});
        return;
    }
    transfer->place = Transfer::Place::with_curl;
    if (!transfer->is_stream()) ++in_flight_;
    transfer->arm_deadlines(loop_, [this, raw = transfer.get()] { expire(*raw); }, [this] { tell_news(); });
}

// Takes transfer out of everything: its user has destroyed the Exchange.
void Client::Core::forget(Transfer& transfer) noexcept {
    transfer.core = nullptr;
    if (transfer.place == Transfer::Place::waiting) return;  // send_waiting() passes it over
    take_from_curl(transfer);
    std::erase_if(underway_, [&](const TransferPtr& other) { return other.get() == &transfer; });
    // The next in line is sent from the loop: this runs in destructors.
    if (!waiting_.empty()) kick_.arm_after({});
}

void Client::Core::take_from_curl(Transfer& transfer) noexcept {
    if (transfer.place != Transfer::Place::with_curl) return;
    curl_multi_remove_handle(multi_.get(), transfer.easy());
    transfer.place = Transfer::Place::finished;
    if (!transfer.is_stream()) --in_flight_;
}

void Client::Core::shut_down() noexcept {
    for (const TransferPtr& transfer : waiting_)
        transfer->core = nullptr;
    for (const TransferPtr& transfer : underway_) {
        transfer->core = nullptr;
        transfer->cancel();
        take_from_curl(*transfer);
    }
    waiting_.clear();
    underway_.clear();
    multi_.reset();
    sources_.clear();
    curl_timer_.disarm();
    kick_.disarm();
}

int Client::Core::on_socket(CURL*, curl_socket_t socket, int what, void* self, void*) noexcept {
    Core& core = *static_cast<Core*>(self);
    try {
        core.watch(socket, what);
        return 0;
    } catch (const std::exception&) {
        core.broken_ = true;
        return -1;
    }
}

void Client::Core::watch(curl_socket_t socket, int what) {
    // A source without events would still wake on a hang-up, again and again.
    if (what == CURL_POLL_REMOVE || what == CURL_POLL_NONE) {
        sources_.erase(socket);
        return;
    }
    EventSource& source = sources_[socket];
    if (source) {
        source.set_io_events(epoll_events(what));
    } else {
        source = loop_.on_io(socket, epoll_events(what),
                             [this, socket](std::uint32_t revents) { act(socket, curl_events(revents)); });
    }
}

int Client::Core::on_timer(CURLM*, long milliseconds, void* self) noexcept {
    Core& core = *static_cast<Core*>(self);
    try {
        if (milliseconds < 0) {
            core.curl_timer_.disarm();
        } else {
            core.curl_timer_.arm_after(std::chrono::milliseconds(milliseconds));
        }
        return 0;
    } catch (const std::exception&) {
        core.broken_ = true;
        return -1;
    }
}

void Client::Core::act(curl_socket_t socket, int events) {
    const auto keep = shared_from_this();
    int running = 0;
    const CURLMcode code = curl_multi_socket_action(multi_.get(), socket, events, &running);
    collect();
    if (broken_ || code != CURLM_OK) give_up();
    deliver();
}

void Client::Core::collect() {
    int left = 0;
    while (CURLMsg* message = curl_multi_info_read(multi_.get(), &left)) {
        if (message->msg != CURLMSG_DONE) continue;
        // The message is gone with the handle.
        end(*Transfer::of(message->easy_handle), message->data.result);
    }
    send_waiting();
}

void Client::Core::end(Transfer& transfer, CURLcode code) {
    transfer.finish(code);
    take_from_curl(transfer);
}

void Client::Core::expire(Transfer& transfer) {
    const auto keep = shared_from_this();
    end(transfer, CURLE_OPERATION_TIMEDOUT);
    deliver();
}

void Client::Core::tell_news() {
    const auto keep = shared_from_this();
    deliver();
}

// libcurl takes a multi handle for dead after a callback failed, until nothing is left in it. Only a lack of
// memory or of epoll watches comes to this.
void Client::Core::give_up() {
    broken_ = false;
    for (const TransferPtr& transfer : underway_) {
        if (transfer->place == Transfer::Place::with_curl) end(*transfer, CURLE_OUT_OF_MEMORY);
    }
    send_waiting();
}

// Users are called here and nowhere else: libcurl is not on the stack, so they may do anything.
void Client::Core::deliver() {
    std::vector<TransferPtr> news;
    std::ranges::copy_if(underway_, std::back_inserter(news), [](const auto& t) { return t->has_news(); });
    try {
        for (const TransferPtr& transfer : news) {
            if (transfer->cancelled()) continue;
            if (transfer->place == Transfer::Place::finished) {
                std::erase(underway_, transfer);
                transfer->core = nullptr;
            }
            transfer->deliver();
        }
    } catch (...) {
        if (multi_) kick_.arm_after({});  // The others' turn, if the loop is run again.
        throw;
    }
}

Exchange::Exchange(std::shared_ptr<Transfer> transfer) noexcept : transfer_(std::move(transfer)) {}

Exchange& Exchange::operator=(Exchange&& other) noexcept {
    if (this != &other) {
        reset();
        transfer_ = std::move(other.transfer_);
    }
    return *this;
}

Exchange::~Exchange() {
    reset();
}

void Exchange::reset() noexcept {
    const auto transfer = std::move(transfer_);
    if (!transfer) return;
    transfer->cancel();
    if (transfer->core != nullptr) transfer->core->forget(*transfer);
}

Client::Client(EventLoop& loop, Endpoint endpoint, std::size_t parallel)
    : core_(std::make_shared<Core>(loop, std::move(endpoint), parallel)) {}

Client::~Client() {
    core_->shut_down();
}

Exchange Client::send(Request request, Reply reply) {
    return core_->start(
        std::make_shared<RequestTransfer>(core_->endpoint(), std::move(request), std::move(reply)));
}

Exchange Client::open(StreamRequest request, StreamHandlers handlers) {
    return core_->start(
        std::make_shared<StreamTransfer>(core_->endpoint(), std::move(request), std::move(handlers)));
}

std::string url_encoded(std::string_view text) {
    constexpr std::string_view plain = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
    constexpr std::string_view digits = "0123456789ABCDEF";
    std::string result;
    result.reserve(text.size());
    for (const char c : text) {
        if (plain.find(c) != std::string_view::npos) {
            result += c;
        } else {
            const auto byte = static_cast<unsigned char>(c);
            result += {'%', digits[byte >> 4U], digits[byte & 0xFU]};
        }
    }
    return result;
}

}  // namespace shorewatch::http
