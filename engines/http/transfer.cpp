#include "engines/http/transfer.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <stdexcept>

#include <sys/socket.h>

namespace shorewatch::http {

namespace {

using Kind = EngineError::Kind;

constexpr std::size_t most_header_bytes = std::size_t{128} * 1024;
// Of the body that comes with a refusal, for its words.
constexpr std::size_t most_error_bytes = std::size_t{64} * 1024;
constexpr long receive_buffer = 64L * 1024;
// A peer that vanished without a word is noticed after about a minute: 20 s and nine probes.
constexpr long keepalive_idle = 20;
constexpr long keepalive_interval = 5;

// libcurl finds nothing wrong with an answer whose headers have no end.
constexpr std::string_view broken_head = "the answer broke off within its headers";

template <typename Value>
void set(CURL* easy, CURLoption option, Value value) {
    const CURLcode code = curl_easy_setopt(easy, option, value);
    if (code != CURLE_OK) throw std::runtime_error(curl_easy_strerror(code));
}

std::string base_url(const Endpoint& endpoint) {
    // The name is for the Host header only; Go's servers refuse a path there.
    if (endpoint.is_local()) return "http://localhost";
    std::string host = endpoint.host;
    if (host.find(':') != std::string::npos) {
        // A zone's % is to be encoded: fe80::1%25eth0 (RFC 6874).
        if (const std::size_t zone = host.find('%'); zone != std::string::npos) host.insert(zone + 1, "25");
        host = "[" + host + "]";
    }
    const bool tls = endpoint.transport == Endpoint::Transport::tls;
    return (tls ? "https://" : "http://") + host + ":" + std::to_string(endpoint.port);
}

std::string_view trimmed(std::string_view text) {
    constexpr std::string_view blank = " \t\r\n";
    const std::size_t begin = text.find_first_not_of(blank);
    if (begin == std::string_view::npos) return {};
    return text.substr(begin, text.find_last_not_of(blank) - begin + 1);
}

std::string lower_case(std::string_view text) {
    std::string result(text);
    for (char& c : result) {
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    }
    return result;
}

template <typename Number>
std::optional<Number> number_in(std::string_view text) {
    Number number{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return number;
}

std::string in_bytes(std::size_t bytes) {
    constexpr std::size_t mib = std::size_t{1024} * 1024;
    return bytes % mib == 0 ? std::to_string(bytes / mib) + " MiB" : std::to_string(bytes) + " bytes";
}

}  // namespace

Transfer::Transfer(const Endpoint& endpoint, std::string target, std::string purpose)
    : endpoint_(endpoint), purpose_(std::move(purpose)), target_(std::move(target)) {}

void Transfer::prepare(const std::string& socket_name) {
    easy_.reset(curl_easy_init());
    if (!easy_) throw std::runtime_error("libcurl gives no handle");
    error_text_.assign(CURL_ERROR_SIZE, '\0');
    set_general_options();
    set_endpoint_options();
    if (endpoint_.is_local()) set(easy(), CURLOPT_UNIX_SOCKET_PATH, socket_name.c_str());
    set_options();
}

void Transfer::set_general_options() {
    CURL* easy = easy_.get();
    set(easy, CURLOPT_PRIVATE, static_cast<void*>(this));
    set(easy, CURLOPT_ERRORBUFFER, error_text_.data());
    set(easy, CURLOPT_HEADERFUNCTION, &Transfer::on_header);
    set(easy, CURLOPT_HEADERDATA, static_cast<void*>(this));
    set(easy, CURLOPT_WRITEFUNCTION, &Transfer::on_body);
    set(easy, CURLOPT_WRITEDATA, static_cast<void*>(this));
    set(easy, CURLOPT_OPENSOCKETFUNCTION, &Transfer::on_open_socket);
    set(easy, CURLOPT_OPENSOCKETDATA, static_cast<void*>(this));
    set(easy, CURLOPT_BUFFERSIZE, receive_buffer);
    set(easy, CURLOPT_NOSIGNAL, 1L);
    // A resolver thread that hangs is left behind instead of being waited for.
    set(easy, CURLOPT_QUICK_EXIT, 1L);
    set(easy, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
    set(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    set(easy, CURLOPT_FOLLOWLOCATION, 0L);
    set(easy, CURLOPT_PROXY, "");  // none from the environment
    // Ids are the engine's: one named ".." must not become another path.
    set(easy, CURLOPT_PATH_AS_IS, 1L);
    add_header("Accept: application/json");
    set(easy, CURLOPT_USERAGENT, "shorewatch/" SHOREWATCH_VERSION);
}

void Transfer::set_method(Method method, const std::string& json) {
    if (method == Method::del) set(easy(), CURLOPT_CUSTOMREQUEST, "DELETE");
    if (method != Method::post) return;
    set(easy(), CURLOPT_POST, 1L);
    set(easy(), CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(json.size()));
    set(easy(), CURLOPT_COPYPOSTFIELDS, json.c_str());
    // Of no body there is no type; libcurl would call it a form. And a large one is not asked for first.
    add_header(json.empty() ? "Content-Type:" : "Content-Type: application/json");
    add_header("Expect:");
}

void Transfer::add_header(const std::string& line) {
    curl_slist* const longer = curl_slist_append(request_headers_.get(), line.c_str());
    if (longer == nullptr) throw std::bad_alloc();
    // What there was is what the longer one begins with.
    [[maybe_unused]] const curl_slist* const same = request_headers_.release();
    request_headers_.reset(longer);
    set(easy(), CURLOPT_HTTPHEADER, longer);
}

void Transfer::set_endpoint_options() {
    set(easy(), CURLOPT_URL, (base_url(endpoint_) + target_).c_str());
    if (endpoint_.is_local()) return;
    set(easy(), CURLOPT_TCP_KEEPALIVE, 1L);
    set(easy(), CURLOPT_TCP_KEEPIDLE, keepalive_idle);
    set(easy(), CURLOPT_TCP_KEEPINTVL, keepalive_interval);
    if (endpoint_.transport == Endpoint::Transport::tls) set_tls_options();
}

void Transfer::set_tls_options() {
    set(easy(), CURLOPT_SSL_VERIFYPEER, 1L);
    set(easy(), CURLOPT_SSL_VERIFYHOST, 2L);
    set(easy(), CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
    if (!endpoint_.tls.ca.empty()) {
        set(easy(), CURLOPT_CAINFO, endpoint_.tls.ca.c_str());
        // Otherwise the system's authorities would be trusted beside the one that was named.
        set(easy(), CURLOPT_CAPATH, static_cast<const char*>(nullptr));
    }
    if (!endpoint_.tls.certificate.empty()) {
        set(easy(), CURLOPT_SSLCERT, endpoint_.tls.certificate.c_str());
        set(easy(), CURLOPT_SSLKEY, endpoint_.tls.key.c_str());
        // A key that wants a passphrase is an error, not a question on somebody's terminal.
        set(easy(), CURLOPT_KEYPASSWD, "");
    }
}

Transfer* Transfer::of(CURL* easy) noexcept {
    void* self = nullptr;
    curl_easy_getinfo(easy, CURLINFO_PRIVATE, &self);
    return static_cast<Transfer*>(self);
}

void Transfer::refuse(std::string_view why) {
    error_ = error(Kind::protocol, why);
}

std::size_t Transfer::on_header(char* data, std::size_t size, std::size_t count, void* self) noexcept {
    try {
        return static_cast<Transfer*>(self)->take_header({data, size * count}) ? size * count : 0;
    } catch (...) {
        return 0;  // Out of memory; anything but the size makes libcurl end the transfer.
    }
}

std::size_t Transfer::on_body(char* data, std::size_t size, std::size_t count, void* self) noexcept {
    try {
        return static_cast<Transfer*>(self)->take_body({data, size * count}) ? size * count : 0;
    } catch (...) {
        return 0;
    }
}

bool Transfer::take_header(std::string_view line) {
    header_bytes_ += line.size();
    if (header_bytes_ > most_header_bytes) return false;
    if (head_complete_) return true;  // a trailer
    if (line.starts_with("HTTP/")) {
        const std::size_t space = line.find(' ');
        head_.status =
            space == std::string_view::npos ? 0 : number_in<int>(line.substr(space + 1, 3)).value_or(0);
        head_.headers.clear();  // those of a 1xx
        return true;
    }
    if (trimmed(line).empty()) {
        head_complete_ = head_.status >= 200;
        return !head_complete_ || begin_body();
    }
    if (const std::size_t colon = line.find(':'); colon != std::string_view::npos) {
        head_.headers.emplace_back(lower_case(trimmed(line.substr(0, colon))),
                                   trimmed(line.substr(colon + 1)));
    }
    return true;
}

EngineError Transfer::error_of(CURLcode code, std::chrono::milliseconds deadline) const {
    if (header_bytes_ > most_header_bytes) return error(Kind::protocol, "the answer's headers are too large");
    TransferFailure failure;
    failure.code = code;
    long os_error = 0;
    curl_easy_getinfo(easy(), CURLINFO_OS_ERRNO, &os_error);
    failure.os_error = socket_error_ != 0 ? socket_error_ : static_cast<int>(os_error);
    failure.was_sent = was_sent();
    failure.deadline = deadline;
    failure.text = error_text_.data();
    return transfer_error(purpose_, endpoint_, failure);
}

EngineError Transfer::error(EngineError::Kind kind, std::string_view cause) const {
    return make_error(kind, purpose_, endpoint_, cause);
}

bool Transfer::was_sent() const noexcept {
    curl_off_t until_sent = 0;
    curl_easy_getinfo(easy(), CURLINFO_PRETRANSFER_TIME_T, &until_sent);
    return until_sent > 0;
}

// Opened here because libcurl tells neither the errno of a failure nor, before the answer is over, the
// descriptor.
curl_socket_t Transfer::on_open_socket(void* self, curlsocktype, curl_sockaddr* address) noexcept {
    auto& transfer = *static_cast<Transfer*>(self);
    transfer.socket_ = socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
    transfer.socket_error_ = transfer.socket_ < 0 ? errno : 0;
    return transfer.socket_;
}

Peer Transfer::peer() const noexcept {
    if (!endpoint_.is_local() || place != Place::with_curl) return {};
    return peer_of(socket_);
}

RequestTransfer::RequestTransfer(const Endpoint& endpoint, Request request, Reply reply)
    : Transfer(endpoint, std::move(request.target), std::move(request.purpose)),
      method_(request.method),
      json_(std::move(request.json)),
      own_connection_(request.own_connection),
      deadline_(request.deadline),
      body_limit_(request.body_limit),
      reply_(std::move(reply)) {}

void RequestTransfer::set_options() {
    set(easy(), CURLOPT_TIMEOUT_MS, static_cast<long>(deadline_.count()));
    set(easy(), CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(deadline_.count()));
    set_method(method_, json_);
    if (own_connection_) {
        set(easy(), CURLOPT_FRESH_CONNECT, 1L);
        set(easy(), CURLOPT_FORBID_REUSE, 1L);
    }
}

bool RequestTransfer::begin_body() {
    const std::string* length = head_.find("content-length");
    const auto bytes = length != nullptr ? number_in<std::uint64_t>(*length) : std::nullopt;
    over_limit_ = bytes && *bytes > body_limit_;
    if (bytes && !over_limit_) body_.reserve(static_cast<std::size_t>(*bytes));
    return !over_limit_;
}

bool RequestTransfer::take_body(std::string_view bytes) {
    over_limit_ = over_limit_ || bytes.size() > body_limit_ - body_.size();
    if (!over_limit_) body_.append(bytes);
    return !over_limit_;
}

void RequestTransfer::finish(CURLcode code) {
    if (over_limit_) {
        error_ = error(Kind::protocol, "the answer is larger than " + in_bytes(body_limit_));
    } else if (code != CURLE_OK) {
        error_ = error_of(code, deadline_);
    } else if (!head_complete_) {
        error_ = error(Kind::protocol, broken_head);
    }
}

void RequestTransfer::deliver() {
    const Reply reply = std::exchange(reply_, nullptr);
    if (!reply) return;
    if (error_) {
        reply(std::move(*error_));
    } else {
        reply(Response{std::move(head_), std::move(body_)});
    }
}

StreamTransfer::StreamTransfer(const Endpoint& endpoint, StreamRequest request, StreamHandlers handlers)
    : Transfer(endpoint, std::move(request.target), std::move(request.purpose)),
      method_(request.method),
      headers_(std::move(request.headers)),
      connect_deadline_(request.connect_deadline),
      head_deadline_(request.head_deadline),
      whole_deadline_(request.deadline),
      late_head_(request.late_head),
      handlers_(std::move(handlers)) {}

void StreamTransfer::set_options() {
    set_method(method_, {});
    for (const auto& [name, value] : headers_)
        add_header(std::string(name).append(": ").append(value));
    if (whole_deadline_.count() > 0)
        set(easy(), CURLOPT_TIMEOUT_MS, static_cast<long>(whole_deadline_.count()));
    set(easy(), CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(connect_deadline_.count()));
    set(easy(), CURLOPT_FRESH_CONNECT, 1L);
    set(easy(), CURLOPT_FORBID_REUSE, 1L);
}

void StreamTransfer::arm_deadlines(EventLoop& loop, const std::function<void()>& on_expiry,
                                   const std::function<void()>& on_news) {
    head_timer_.emplace(loop, [this, call = on_expiry] {
        head_expired_ = true;
        call();
    });
    if (head_deadline_.count() > 0) head_timer_->arm_after(head_deadline_);
    if (late_head_.count() <= 0) return;
    patience_timer_.emplace(loop, [this, call = on_news] {
        if (opened_ || head_complete_ || place != Place::with_curl) return;
        if (!was_sent()) return patience_timer_->arm_after(late_head_);
        presumed_open_ = true;
        call();
    });
    patience_timer_->arm_after(late_head_);
}

bool StreamTransfer::has_news() const noexcept {
    if (place == Place::finished) return true;
    return (presumed_open_ && !opened_) || (good() && (!opened_ || !body_.empty()));
}

bool StreamTransfer::take_body(std::string_view bytes) {
    if (!good() && body_.size() + bytes.size() > most_error_bytes) return false;
    body_.append(bytes);
    return true;
}

void StreamTransfer::finish(CURLcode code) {
    if (head_timer_) head_timer_->disarm();
    if (patience_timer_) patience_timer_->disarm();
    if (head_complete_ && !good()) {
        error_ = status_error(purpose_, endpoint_, head_.status, body_);
    } else if (good() && code == CURLE_OK) {
        if (handlers_.on_whole) return;
        error_ = error(Kind::unreachable, "the engine ended the stream");
    } else if ((good() && code == CURLE_PARTIAL_FILE) || (presumed_open_ && code == CURLE_GOT_NOTHING)) {
        error_ = error(Kind::unreachable, "the connection broke off");
    } else if (code == CURLE_OK) {
        error_ = error(Kind::protocol, broken_head);
    } else {
        error_ = error_of(code, head_expired_ ? head_deadline_
                                : was_sent()  ? whole_deadline_
                                              : connect_deadline_);
    }
}

void StreamTransfer::deliver() {
    if ((good() || presumed_open_) && !opened_) {
        opened_ = true;
        head_timer_->disarm();
        handlers_.on_open(good() ? head_ : Head{}, peer());
    }
    if (!cancelled() && opened_ && !body_.empty()) {
        const std::string data = std::exchange(body_, {});
        handlers_.on_data(data);
    }
    if (cancelled() || place != Place::finished) return;
    error_ ? handlers_.on_end(*error_) : handlers_.on_whole();
}

}  // namespace shorewatch::http
