// The stream of JSON objects, cut into pieces: however the bytes arrive, the same objects come out; and what
// is taken for JSON is JSON.
#include "engines/http/json_stream.h"

#include <memory>
#include <string>
#include <vector>

#include <fuzzer/FuzzedDataProvider.h>

#include "engines/http/json.h"
#include "engines/http/json_writer.h"
#include "tests/fuzz/expect.h"
#include "tests/fuzz/json_answer.h"

using namespace shorewatch;
using namespace shorewatch::fuzz;

namespace {

using Kind = json::StreamSplitter::Item::Kind;

// Smaller than real ones, so that it is met.
constexpr std::size_t limit = 512;

struct Seen {
    Kind kind;
    std::string text;
    std::uint64_t size;

    bool operator==(const Seen&) const = default;
};

void take(json::StreamSplitter& splitter, std::string_view bytes, std::vector<Seen>& seen) {
    splitter.feed(bytes);
    for (auto item = splitter.next(); item.kind != Kind::need_more; item = splitter.next()) {
        // How much of it is quoted depends on how much has arrived.
        const bool malformed = item.kind == Kind::malformed;
        seen.push_back(
            {item.kind, malformed ? std::string() : std::string(item.text), malformed ? 0 : item.size});
    }
}

void expect_item(const Seen& item) {
    expect(item.text.size() == item.size && item.size <= limit, "objects are within the limit");
    expect(item.text.starts_with('{'), "objects are objects");
    decoded([&] { return std::make_unique<json::Document>(item.text); },
            [](const std::unique_ptr<json::Document>& document) {
                expect(document->root().IsObject(), "what is taken for an object is one");
            });
}

// JSON that somebody else has written is passed on as JSON.
void expect_json_again(std::string_view text) {
    json::Writer writer;
    writer.begin_object();
    writer.key(text);
    writer.json(text);
    writer.member("text", text);
    writer.end_object();
    expect_object(writer.written());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    // From the end come the sizes of the pieces.
    FuzzedDataProvider bytes(data, size);
    const auto piece = bytes.ConsumeIntegralInRange<std::size_t>(1, 64);
    const std::string text = bytes.ConsumeRemainingBytesAsString();

    std::vector<Seen> at_once;
    json::StreamSplitter whole(limit);
    take(whole, text, at_once);

    std::vector<Seen> bit_by_bit;
    json::StreamSplitter pieces(limit);
    for (std::size_t at = 0; at < text.size(); at += piece)
        take(pieces, std::string(text.substr(at, piece)), bit_by_bit);

    expect(at_once == bit_by_bit, "pieces make no difference");
    expect(whole.skipped() == pieces.skipped(), "pieces make no difference to what is skipped");
    expect(whole.inside_value() == pieces.inside_value(), "pieces make no difference to what is open");
    for (const Seen& item : at_once) {
        if (item.kind == Kind::object) expect_item(item);
    }
    expect_json_again(text);
    return 0;
}
