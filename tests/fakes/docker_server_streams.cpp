// How a fake engine's event streams begin, go on and end.
#include <utility>

#include "tests/fakes/docker_server.h"

namespace shorewatch::fakes {

void DockerServer::begin_stream(const ExchangePtr& exchange) {
    Answer checked = compute(*exchange);
    if (checked.status != 200) return send(*exchange, std::move(checked));
    exchange->connection->write(head(checked) + "Transfer-Encoding: chunked\r\n\r\n");
    pass(exchange->behaviour.hold, exchange, [this, exchange] {
        const Behaviour& behaviour = exchange->behaviour;
        if (behaviour.before) behaviour.before();
        if (exchange->connection->closed()) return;
        const StreamPtr stream = subscribe(*exchange);
        if (behaviour.after) behaviour.after();
        pass(behaviour.hold_answer, exchange, [stream] {
            stream->open = true;
            flush(*stream);
        });
    });
}

DockerServer::StreamPtr DockerServer::subscribe(const Exchange& exchange) {
    const auto stream = std::make_shared<Stream>();
    stream->connection = exchange.connection;
    const HttpRequest& http = exchange.request.http;
    stream->filter = EventFilter::parse(http.parameter("filters"));
    std::vector<DockerEvent> missed;
    {
        const std::lock_guard lock(world.mutex);
        stream->api = minor_of(exchange.request.api).value_or(world.facts.newest_api);
        stream->first_number = world.next_number;
        if (const std::string since = http.parameter("since"); !since.empty()) {
            missed = world.log.replay(parse_since(since));
        }
    }
    for (DockerEvent& event : missed)
        deliver_to(*stream, {.event = std::move(event)});
    streams_.push_back(stream);
    observations.note([](Seen& seen) { ++seen.streams; });
    exchange.connection->when_over([this, stream] {
        streams_.remove(stream);
        observations.note([](Seen& seen) { --seen.streams; });
    });
    return stream;
}

void DockerServer::deliver() {
    std::vector<StreamItem> items;
    {
        const std::lock_guard lock(world.mutex);
        items.swap(world.outbox);
    }
    // A stream that is cut leaves the list.
    const auto streams = streams_;
    for (const StreamItem& item : items) {
        for (const StreamPtr& stream : streams) {
            if (item.number >= stream->first_number) deliver_to(*stream, item);
        }
    }
}

void DockerServer::deliver_to(Stream& stream, const StreamItem& item) {
    switch (item.kind) {
        case StreamItem::Kind::event:
            if (stream.filter.takes(item.event)) write_to(stream, chunk(event_line(item.event, stream.api)));
            break;
        case StreamItem::Kind::text:
            write_to(stream, chunk(item.text));
            break;
        case StreamItem::Kind::bytes:
            write_to(stream, item.text);
            break;
        case StreamItem::Kind::end:
            stream.ended = true;
            write_to(stream, "0\r\n\r\n");
            break;
        case StreamItem::Kind::cut:
            stream.connection->close();
            break;
    }
}

void DockerServer::write_to(Stream& stream, const std::string& bytes) {
    stream.pending += bytes;
    if (stream.open) flush(stream);
}

void DockerServer::flush(Stream& stream) {
    stream.connection->write(std::exchange(stream.pending, {}));
    if (stream.ended) stream.connection->end_response();
}

}  // namespace shorewatch::fakes
