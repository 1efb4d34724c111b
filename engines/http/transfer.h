// One HTTP exchange as libcurl sees it: an easy handle, what it has received so far, and whom to tell. The
// handle, 5 KB large, is made when it is the exchange's turn: thousands may wait for that.
//
// libcurl's callbacks only collect, as they must neither throw nor touch other handles. Client::Core tells
// the users once libcurl has returned, by deliver().
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engines/http/curl_handles.h"
#include "engines/http/http_client.h"
#include "engines/http/http_error.h"

namespace shorewatch::http {

class Transfer {
  public:
    enum class Place { waiting, with_curl, finished };

    virtual ~Transfer() = default;
    Transfer(const Transfer&) = delete;
    Transfer& operator=(const Transfer&) = delete;

    // Null before prepare().
    [[nodiscard]] CURL* easy() const noexcept { return easy_.get(); }
    [[nodiscard]] static Transfer* of(CURL* easy) noexcept;
    [[nodiscard]] bool cancelled() const noexcept { return cancelled_; }
    [[nodiscard]] virtual bool is_stream() const noexcept = 0;

    // Is there something to tell that deliver() has not told?
    [[nodiscard]] virtual bool has_news() const noexcept = 0;
    // Calls back. This transfer may be cancelled meanwhile, but must be kept.
    virtual void deliver() = 0;

    // Makes what libcurl is handed. socket_name: of an endpoint that is a unix socket, the name of its file.
    // Throws std::exception.
    void prepare(const std::string& socket_name);
    // The end as libcurl tells it. Before the easy handle is taken out of its multi handle.
    virtual void finish(CURLcode code) = 0;
    // The end of what could not even be handed to libcurl.
    void refuse(std::string_view why);

    // Starts what libcurl has no deadline for. When it passes, on_expiry is called, and then finish() is due;
    // when there is something to deliver() without libcurl's doing, on_news.
    virtual void arm_deadlines(EventLoop&, const std::function<void()>& /*on_expiry*/,
                               const std::function<void()>& /*on_news*/) {}

    // Nobody is to be told any more.
    void cancel() noexcept { cancelled_ = true; }

    // The client's book-keeping, of Client::Core's use.
    Client::Core* core = nullptr;  // null when the client is gone or no longer knows this transfer
    Place place = Place::waiting;

  protected:
    Transfer(const Endpoint& endpoint, std::string target, std::string purpose);

    // What only this kind has of the request, before it is handed to libcurl.
    virtual void set_options() = 0;
    // Where the body goes. False ends the transfer; finish() will be called.
    [[nodiscard]] virtual bool begin_body() { return true; }
    [[nodiscard]] virtual bool take_body(std::string_view bytes) = 0;

    [[nodiscard]] EngineError error_of(CURLcode code, std::chrono::milliseconds deadline) const;
    [[nodiscard]] EngineError error(EngineError::Kind kind, std::string_view cause) const;
    // Who listens at the other end of the unix socket that this transfer has opened and still uses; 0: not
    // known.
    [[nodiscard]] Peer peer() const noexcept;
    // Is there a connection, and the request on its way?
    [[nodiscard]] bool was_sent() const noexcept;
    // Of the request, before it is handed to libcurl. json: empty: no body.
    void set_method(Method method, const std::string& json);
    void add_header(const std::string& line);

    Endpoint endpoint_;
    std::string purpose_;
    EasyHandle easy_;
    Head head_;
    bool head_complete_ = false;
    std::string body_;
    std::optional<EngineError> error_;

  private:
    static std::size_t on_header(char* data, std::size_t size, std::size_t count, void* self) noexcept;
    static std::size_t on_body(char* data, std::size_t size, std::size_t count, void* self) noexcept;
    static curl_socket_t on_open_socket(void* self, curlsocktype, curl_sockaddr* address) noexcept;
    [[nodiscard]] bool take_header(std::string_view line);
    void set_general_options();
    void set_endpoint_options();
    void set_tls_options();

    std::string target_;
    HeaderList request_headers_;
    std::vector<char> error_text_;            // libcurl writes into it
    curl_socket_t socket_ = CURL_SOCKET_BAD;  // the last that was opened; libcurl owns it
    int socket_error_ = 0;                    // errno, when it could not be opened
    std::size_t header_bytes_ = 0;
    bool cancelled_ = false;
};

class RequestTransfer final : public Transfer {
  public:
    RequestTransfer(const Endpoint& endpoint, Request request, Reply reply);

    [[nodiscard]] bool is_stream() const noexcept override { return false; }
    [[nodiscard]] bool has_news() const noexcept override { return place == Place::finished; }
    void deliver() override;
    void finish(CURLcode code) override;

  private:
    void set_options() override;
    [[nodiscard]] bool begin_body() override;
    [[nodiscard]] bool take_body(std::string_view bytes) override;

    Method method_;
    std::string json_;
    bool own_connection_;
    std::chrono::milliseconds deadline_;
    std::size_t body_limit_;
    bool over_limit_ = false;
    Reply reply_;
};

class StreamTransfer final : public Transfer {
  public:
    StreamTransfer(const Endpoint& endpoint, StreamRequest request, StreamHandlers handlers);

    [[nodiscard]] bool is_stream() const noexcept override { return true; }
    [[nodiscard]] bool has_news() const noexcept override;
    void deliver() override;
    void finish(CURLcode code) override;
    void arm_deadlines(EventLoop& loop, const std::function<void()>& on_expiry,
                       const std::function<void()>& on_news) override;

  private:
    [[nodiscard]] bool good() const noexcept { return head_complete_ && head_.status == 200; }
    void set_options() override;
    [[nodiscard]] bool take_body(std::string_view bytes) override;

    Method method_;
    Headers headers_;
    std::chrono::milliseconds connect_deadline_;
    std::chrono::milliseconds head_deadline_;
    std::optional<Timer> head_timer_;
    bool head_expired_ = false;
    std::chrono::milliseconds whole_deadline_;
    std::chrono::milliseconds late_head_;  // 0: the head is waited for
    std::optional<Timer> patience_timer_;
    bool presumed_open_ = false;  // it was not waited for any longer
    bool opened_ = false;         // on_open was called
    StreamHandlers handlers_;
};

}  // namespace shorewatch::http
