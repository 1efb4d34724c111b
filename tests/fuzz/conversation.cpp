#include "tests/fuzz/conversation.h"

#include <array>
#include <cerrno>
#include <system_error>
#include <utility>

#include <linux/sockios.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "tests/fuzz/expect.h"

namespace shorewatch::fuzz {

namespace {

constexpr std::array<std::string_view, 4> questions{"_ping", "/info", "/events", "/containers/json"};
// More than a client needs from the arrival of bytes to its word of them.
constexpr int patience = 40;

std::vector<std::string_view> pieces_of(std::string_view input) {
    std::vector<std::string_view> pieces;
    for (std::size_t at = 0; at != std::string_view::npos && pieces.size() <= questions.size();) {
        const std::size_t end = input.find(divider, at);
        pieces.push_back(input.substr(at, end == std::string_view::npos ? end : end - at));
        at = end == std::string_view::npos ? end : end + divider.size();
    }
    pieces.resize(questions.size() + 1);
    return pieces;
}

std::size_t question_in(std::string_view request) {
    const std::string_view target = request.substr(0, request.find(" HTTP/"));
    for (std::size_t index = 0; index < questions.size(); ++index) {
        if (target.find(questions.at(index)) != std::string_view::npos) return index;
    }
    return questions.size();
}

}  // namespace

Conversation::Conversation(MakeClient make_client) : make_client_(std::move(make_client)) {
    source_ = loop_.on_io(listening_.get(), EPOLLIN, [this](std::uint32_t) { accept(); });
}

void Conversation::hold(std::string_view input) {
    ++round_;
    open_ = ended_ = false;
    answers_ = pieces_of(input);
    client_ = make_client_(loop_, listener_.endpoint());
    client_->lifecycle_events(RealTime{std::chrono::seconds(1'700'000'000)}, *this);
    while (!ended_)
        loop_.run();
    client_.reset();
    connections_.clear();
    events_.reset();
    // Those that were not accepted any more.
    while (UniqueFd rest{::accept4(listening_.get(), nullptr, nullptr, SOCK_CLOEXEC)})
        continue;
}

void Conversation::accept() {
    auto connection = std::make_unique<Connection>();
    connection->fd.reset(::accept4(listening_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (!connection->fd) return;
    Connection& it = *connection;
    it.source = loop_.on_io(it.fd.get(), EPOLLIN, [this, &it](std::uint32_t) { read(it); });
    connections_.push_back(std::move(connection));
}

void Conversation::read(Connection& connection) {
    std::array<char, 4096> buffer{};
    const ssize_t size = ::recv(connection.fd.get(), buffer.data(), buffer.size(), 0);
    if (size > 0) connection.request.append(buffer.data(), static_cast<std::size_t>(size));
    if (size == 0 || (size < 0 && errno != EAGAIN)) {
        connection.source.reset();
        connection.fd.reset();
    } else if (connection.request.find("\r\n\r\n") != std::string::npos) {
        answer(connection);
    }
}

void Conversation::answer(Connection& connection) {
    const std::size_t question = question_in(connection.request);
    const std::string_view text = answers_.at(question);
    connection.source.reset();
    // Inputs are smaller than what a socket holds.
    static_cast<void>(::send(connection.fd.get(), text.data(), text.size(), MSG_NOSIGNAL));
    if (questions.size() > question && questions.at(question) == "/events") {
        events_ = std::move(connection.fd);
        end_unless_open(patience);
    } else {
        connection.fd.reset();
    }
}

void Conversation::end_unless_open(int turns) {
    if (open_ || !events_) return;
    int unread = 0;
    const bool drained = ::ioctl(events_.get(), SIOCOUTQ, &unread) == 0 && unread == 0;
    if (turns == 0) return end_events();
    loop_.post([this, round = round_, left = drained ? turns - 1 : turns] {
        if (round == round_) end_unless_open(left);
    });
}

void Conversation::end_events() {
    events_.reset();
}

void Conversation::on_stream_open() {
    open_ = true;
    client_->list([this](const Result<std::vector<ContainerPtr>>& list) {
        if (!list) {
            expect_error(list.error());
        } else {
            for (const ContainerPtr& container : list.value())
                expect_container(container);
        }
        ask_for_one();
    });
}

void Conversation::ask_for_one() {
    client_->inspect("0a0e8a6b9af9", [this](const Result<Inspection>& inspection) {
        inspection ? expect_inspection(inspection.value()) : expect_error(inspection.error());
        end_events();
    });
}

void Conversation::on_identity(const EngineIdentity& identity) {
    expect_clean(identity.id, "ids of engines are valid");
    expect_name(identity.version, "versions are valid and short");
}

void Conversation::on_event(const ContainerEvent& event) {
    expect(open_, "events come once the stream stands");
    expect_event(event);
}

void Conversation::on_gap(const std::string& why) {
    expect_clean(why, "what is missing is told in valid words");
}

void Conversation::on_stream_end(const EngineError& error) {
    expect_error(error);
    expect(!ended_, "a stream ends once");
    ended_ = true;
    loop_.stop();
}

}  // namespace shorewatch::fuzz
