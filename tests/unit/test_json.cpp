// JSON from engines: a stream cut into objects, a text parsed within bounds, fields picked by name.
#include <string>
#include <string_view>
#include <vector>

#include "engines/http/json.h"
#include "engines/http/json_stream.h"
#include "engines/http/json_writer.h"
#include "engines/support/text.h"
#include "tests/unit/catch.h"

using namespace shorewatch;
using json::StreamSplitter;
using Kind = StreamSplitter::Item::Kind;

namespace {

struct Cut {
    std::vector<std::string> objects;
    std::vector<std::uint64_t> oversize;
    std::string malformed;
    bool failed = false;
    bool inside = false;
    std::uint64_t skipped = 0;
};

void take_all(StreamSplitter& splitter, Cut& cut) {
    for (auto item = splitter.next(); item.kind != Kind::need_more; item = splitter.next()) {
        if (item.kind == Kind::object) cut.objects.emplace_back(item.text);
        if (item.kind == Kind::oversize) cut.oversize.push_back(item.size);
        if (item.kind != Kind::malformed) continue;
        cut.failed = true;
        cut.malformed = item.text;
    }
}

Cut cut_in_pieces(const std::vector<std::string_view>& pieces,
                  std::size_t limit = StreamSplitter::default_limit) {
    StreamSplitter splitter(limit);
    Cut cut;
    for (const std::string_view piece : pieces) {
        // A copy of its own size, so that a sanitizer sees any step outside it.
        const std::vector<char> bytes(piece.begin(), piece.end());
        splitter.feed({bytes.data(), bytes.size()});
        take_all(splitter, cut);
    }
    cut.inside = splitter.inside_value();
    cut.skipped = splitter.skipped();
    return cut;
}

Cut cut_whole(std::string_view text, std::size_t limit = StreamSplitter::default_limit) {
    return cut_in_pieces({text}, limit);
}

std::vector<std::string_view> bytes_of(std::string_view text) {
    std::vector<std::string_view> pieces;
    for (std::size_t i = 0; i < text.size(); ++i)
        pieces.push_back(text.substr(i, 1));
    return pieces;
}

using Texts = std::vector<std::string>;

}  // namespace

TEST_CASE("a stream of JSON is cut into its objects, wherever the bytes are parted") {
    const std::string text =
        "{\"a\":1}\n{\"b\":\"}{][\\\"\\\\\"}{\"c\":[{},[{}]]}\r\n null \x1e{}\n42 -1.5e+3 "
        "true[1,\"]\",{}]\"s\\\"{\"{\"d\":2}";
    const Texts expected{"{\"a\":1}", "{\"b\":\"}{][\\\"\\\\\"}", "{\"c\":[{},[{}]]}", "{}", "{\"d\":2}"};
    const auto check = [&](const Cut& cut) {
        CHECK(cut.objects == expected);
        CHECK_FALSE(cut.failed);
        CHECK_FALSE(cut.inside);
        CHECK(cut.skipped == 6);
    };
    check(cut_whole(text));
    check(cut_in_pieces(bytes_of(text)));
    for (std::size_t i = 0; i <= text.size(); ++i) {
        CAPTURE(i);
        const std::string_view view = text;
        check(cut_in_pieces({view.substr(0, i), view.substr(i)}));
        if (i % 7 == 0)
            check(cut_in_pieces({view.substr(0, i / 2), view.substr(i / 2, i - i / 2), view.substr(i)}));
    }
}

TEST_CASE("an object larger than the limit goes by and costs nothing but itself") {
    const std::string large = "{\"x\":\"" + std::string(1000, 'y') + "\"}";
    const std::string text = "{\"a\":1}" + large + "{\"b\":2}";
    for (const std::size_t piece : {1U, 7U, 64U, 5000U}) {
        CAPTURE(piece);
        std::vector<std::string_view> pieces;
        const std::string_view view = text;
        for (std::size_t at = 0; at < view.size(); at += piece)
            pieces.push_back(view.substr(at, piece));
        const Cut cut = cut_in_pieces(pieces, large.size() - 1);
        CHECK(cut.objects == Texts{"{\"a\":1}", "{\"b\":2}"});
        CHECK(cut.oversize == std::vector<std::uint64_t>{large.size()});
        CHECK(cut_in_pieces(pieces, large.size()).objects.size() == 3);
    }
}

TEST_CASE("what is no JSON value ends the stream, and nothing follows") {
    for (const std::string text : {"}", "]", ",", ":", "nul", "nullnull", "True", "12x", "HTTP/1.1", "<html>",
                                   "\\", "'", "\x01", "e5"}) {
        CAPTURE(text);
        for (const Cut& cut : {cut_whole("{\"a\":1} " + text + " {\"b\":2}"),
                               cut_in_pieces(bytes_of("{\"a\":1} " + text + " {\"b\":2}"))}) {
            CHECK(cut.objects == Texts{"{\"a\":1}"});
            CHECK(cut.failed);
            CHECK_FALSE(cut.malformed.empty());
        }
    }
    CHECK(cut_whole(std::string("\0", 1)).failed);
    CHECK(cut_in_pieces(bytes_of(std::string(100, 'a'))).failed);  // a word that never ends
    CHECK(cut_whole("garbage " + std::string(1000, 'x')).malformed.size() <= 80);
}

TEST_CASE("one can tell whether a stream broke off within a value") {
    CHECK_FALSE(cut_whole("").inside);
    CHECK_FALSE(cut_whole("{} \n").inside);
    CHECK_FALSE(cut_whole("{}nul").inside);
    CHECK(cut_whole("{}{").inside);
    CHECK(cut_whole("{\"a\":\"}").inside);
    CHECK(cut_whole("[1").inside);
    CHECK(cut_whole("{" + std::string(100, ' '), 10).inside);
}

TEST_CASE("JSON is parsed strictly, and an error says where") {
    const auto error = [](std::string text) -> std::string {
        try {
            const json::Document document(std::move(text));
            return "";
        } catch (const json::Malformed& malformed) {
            return malformed.what();
        }
    };
    CHECK(error("{}").empty());
    CHECK(error(" [1] \n").empty());
    CHECK_THAT(error("{\"a\":}"), Catch::Matchers::ContainsSubstring("byte 5"));
    for (const char* text :
         {"", "{", "{\"a\":1", "{\"a\" 1}", "[1,]", "{} {}", "nul", "\"a", "{\"a\":\"\\q\"}", "[1e999]"}) {
        CAPTURE(text);
        CHECK_THAT(error(text), Catch::Matchers::ContainsSubstring("malformed"));
    }
    CHECK_THAT(error(std::string("{}\0", 3)), Catch::Matchers::ContainsSubstring("NUL"));
    CHECK_THAT(error(std::string("{\"a\0\":1}", 8)), Catch::Matchers::ContainsSubstring("malformed"));
}

TEST_CASE("numbers are what they are written as, and too large ones are none") {
    const json::Document document(
        R"([-0,-7,9223372036854775807,18446744073709551615,18446744073709551616,0.1,-1.5e+3,1E2,5e-324,1e-400,)"
        R"(0.000000000000000000000000000000000000000000000000000000000000000000000000000000000001,7])");
    const json::Value& numbers = document.root();
    REQUIRE(numbers.Size() == 12);
    CHECK(numbers[0].GetInt() == 0);
    CHECK(numbers[1].GetInt() == -7);
    CHECK(numbers[2].GetInt64() == 9223372036854775807);
    CHECK(numbers[3].GetUint64() == 18446744073709551615U);
    CHECK(numbers[4].GetDouble() == 18446744073709551616.0);
    CHECK(numbers[5].GetDouble() == 0.1);
    CHECK(numbers[6].GetDouble() == -1500.0);
    CHECK_FALSE(numbers[7].IsInt64());
    CHECK(numbers[8].GetDouble() == 5e-324);
    CHECK(numbers[9].GetDouble() == 0.0);
    CHECK(numbers[10].GetDouble() == 1e-84);
    CHECK(numbers[11].GetInt() == 7);
    CHECK_THROWS_AS(json::Document("[1.8e308]"), json::Malformed);
    CHECK_THROWS_AS(json::Document("[1,2.]"), json::Malformed);
    CHECK_THROWS_AS(json::Document("[01]"), json::Malformed);
    CHECK_THROWS_AS(json::Document("[-]"), json::Malformed);
}

TEST_CASE("JSON that would unfold without bounds is refused, not followed") {
    const std::size_t many = 5'000'000;
    CHECK_THROWS_AS(json::Document(std::string(many, '[')), json::Malformed);
    std::string deep;
    for (int i = 0; i < 100'000; ++i)
        deep += "{\"a\":";
    CHECK_THROWS_AS(json::Document(deep), json::Malformed);
    std::string wide = "[0";
    for (std::size_t i = 0; i < many; ++i)
        wide += ",0";
    CHECK_THROWS_AS(json::Document(wide + "]"), json::Malformed);

    const json::Bounds bounds{3, 5};
    CHECK_NOTHROW(json::Document("[[[]],1,2]", bounds));
    CHECK_THROWS_AS(json::Document("[[[[]]]]", bounds), json::Malformed);
    CHECK_THROWS_AS(json::Document("[[[]],1,2,3]", bounds), json::Malformed);
}

TEST_CASE("fields are picked without trusting what is there") {
    const json::Document document(
        R"({"text":"t","number":7,"big":9223372036854775807,"beyond":9223372036854775808,"half":0.5,)"
        R"("yes":true,"no":false,"nothing":null,"inner":{"text":"u","list":[1]}})");
    const json::Value& root = document.root();
    CHECK(json::text_at(root, {"text"}) == "t");
    CHECK(json::text_at(root, {"inner", "text"}) == "u");
    CHECK(json::text_at(root, {"number"}).empty());
    CHECK(json::text_at(root, {"text", "text"}).empty());
    CHECK(json::text_at(root, {"inner", "list", "text"}).empty());
    CHECK(json::text_at(root, {"missing", "text"}).empty());
    CHECK(json::integer_at(root, {"number"}) == 7);
    CHECK(json::integer_at(root, {"big"}) == 9223372036854775807);
    for (const char* name : {"beyond", "half", "text", "nothing", "missing", "inner"}) {
        CAPTURE(name);
        CHECK_FALSE(json::integer_at(root, {name}));
        CHECK_FALSE(json::flag_at(root, {name}));
    }
    CHECK(json::flag_at(root, {"yes"}));
    CHECK_FALSE(json::flag_at(root, {"no"}));
    CHECK(json::find(root, {"nothing"}) == nullptr);
    CHECK(json::find(root, {}) == &root);
    CHECK(json::find(root, {"inner"})->IsObject());
}

TEST_CASE("text leaves JSON as valid UTF-8, whatever was in it") {
    const json::Document document(
        "{\"nul\":\"a\\u0000b\",\"bytes\":\"a\xFF\",\"pair\":\"\\ud83d\\ude00\",\"high\":\"\\uD83Dx\","
        "\"low\":\"\\ude00\",\"two\":\"\\ud800\\ud83d\\ude00\",\"end\":\"\\udbff\","
        "\"escaped\":\"\\\\ud800\",\"\\ud800\":\"key\"}");
    const json::Value& root = document.root();
    CHECK(json::text_at(root, {"nul"}) == "a\uFFFDb");
    CHECK(json::raw_text(*json::find(root, {"nul"})) == std::string_view("a\0b", 3));
    CHECK(json::text_at(root, {"bytes"}) == "a\uFFFD");
    CHECK(json::text_at(root, {"pair"}) == "\U0001F600");
    CHECK(json::text_at(root, {"high"}) == "\uFFFDx");
    CHECK(json::text_at(root, {"low"}) == "\uFFFD");
    CHECK(json::text_at(root, {"two"}) == "\uFFFD\U0001F600");
    CHECK(json::text_at(root, {"end"}) == "\uFFFD");
    CHECK(json::text_at(root, {"escaped"}) == "\\ud800");
    CHECK(json::text_at(root, {"\uFFFD"}) == "key");
}

TEST_CASE("an escape that is none is not mended") {
    for (const char* text :
         {R"({"a":"\ud8"})", R"({"a":"\ud8zz"})", R"({"a":"\ud8","b":"c"})", R"({"a":"\udc0"})"}) {
        CAPTURE(text);
        CHECK_THROWS_AS(json::Document(text), json::Malformed);
    }
}

TEST_CASE("a text longer than any honest name is cut between characters") {
    const std::string fits(longest_name, 'x');
    const std::string wide = std::string(longest_name - 1, 'x') + "\u00e4";
    const json::Document document("{\"fits\":\"" + fits + "\",\"long\":\"" + fits + "x\",\"wide\":\"" + wide +
                                  "\"}");
    CHECK(json::text_at(document.root(), {"fits"}) == fits);
    CHECK(json::text_at(document.root(), {"long"}) == fits);
    CHECK(json::text_at(document.root(), {"wide"}) == std::string(longest_name - 1, 'x'));
}

TEST_CASE("what is written is JSON and valid UTF-8, whatever goes in") {
    json::Writer out;
    out.begin_object();
    out.member("te\"xt\xff", std::string_view("a\n\0b", 4));
    out.member("number", -7);
    out.key("values");
    out.begin_array();
    out.null();
    out.flag(true);
    out.json(R"({"spec":[1,2.5,"x"]})");
    out.json("{");
    out.json("");
    out.json("{} {}");
    out.end_array();
    out.end_object();
    CHECK(out.written() ==
          "{\"te\\\"xt\uFFFD\":\"a\\n\uFFFDb\",\"number\":-7,"
          "\"values\":[null,true,{\"spec\":[1,2.5,\"x\"]},null,null,null]}");
    CHECK_NOTHROW(json::Document(std::string(out.written())));
}
