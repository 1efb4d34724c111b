// Text of anybody's, made fit for D-Bus, for terminals and for addresses; and times and endpoints written as
// text.
#include <stdexcept>
#include <string>

#include "engines/endpoint.h"
#include "engines/error_text.h"
#include "engines/http/http_client.h"
#include "engines/support/text.h"
#include "engines/support/timestamp.h"
#include "tests/fuzz/expect.h"

using namespace shorewatch;
using namespace shorewatch::fuzz;

namespace {

void expect_valid(std::string_view text) {
    const std::string valid = valid_utf8(text);
    expect_clean(valid, "what is made valid is valid");
    expect(valid_utf8(valid) == valid, "what is valid stays as it is");
    for (const std::size_t most : {std::size_t{0}, std::size_t{1}, std::size_t{7}, text.size()}) {
        const std::string cut = valid_utf8(text, most);
        expect(cut.size() <= most && valid.starts_with(cut), "what is cut is the beginning");
        expect_clean(cut, "what is cut is valid");
    }
    if (!text.empty()) expect_line(printable(text), "what is made printable is one line");
    expect_clean(excerpt(valid, 10), "excerpts of what is valid are valid");
}

void expect_time(std::string_view text) {
    const auto time = parse_rfc3339(text);
    if (!time) return;
    expect(parse_rfc3339(to_rfc3339(*time)) == time, "times are what they say");
    expect(to_usec(time) > 0 || *time < RealTime{std::chrono::microseconds(1)}, "times are some time");
}

void expect_endpoint(std::string_view text) {
    try {
        const Endpoint endpoint = Endpoint::parse(text);
        expect(Endpoint::parse(endpoint.url()) == endpoint, "endpoints are what they say");
        expect(endpoint.is_local() == !endpoint.socket_path.empty(), "local ones have a socket");
        expect_error(make_error(EngineError::Kind::protocol, "connect", endpoint, text));
    } catch (const std::invalid_argument& error) {
        expect_line(printable(error.what()), "what is wrong with an endpoint is said");
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text = text_of(data, size);
    expect_valid(text);
    expect_time(text);
    expect_endpoint(text);
    const std::string encoded = http::url_encoded(text);
    expect(encoded.find_first_of(" /?#&\r\n\"<>") == std::string::npos,
           "what is encoded fits into an address");
    expect(!is_containerd_name(text) || is_clean(text), "names of containerd's are valid");
    return 0;
}
