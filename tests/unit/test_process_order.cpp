// In which order the events of a process are told.
#include <algorithm>
#include <iterator>
#include <string>
#include <vector>

#include "daemon/runtime/process_order.h"
#include "tests/unit/catch.h"

using namespace shorewatch;
using What = ProcessOrder::Told::What;

namespace {

// One that is asked, step by step, and what it has told so far: "added started exited:3".
class Story {
  public:
    ProcessOrder order;

    void take(const ProcessOrder::List& list) {
        for (const ProcessOrder::Told& told : list) {
            if (!text_.empty()) text_ += ' ';
            text_ += told.what == What::added ? "added" : told.what == What::started ? "started" : "exited";
            if (told.end) text_ += ":" + std::to_string(told.end->exit_code);
            if (!told.error.empty()) text_ += "(" + told.error + ")";
        }
    }
    [[nodiscard]] const std::string& text() const { return text_; }

  private:
    std::string text_;
};

}  // namespace

TEST_CASE("whatever the order in which the engine tells of a process, it is told in the one that is true") {
    // Four things that come in any order: each of them once, or twice.
    std::vector<int> steps{0, 1, 2, 3};
    do {
        for (const int twice : {1, 2}) {
            Story story;
            for (const int step : steps) {
                for (int i = 0; i < twice; ++i) {
                    if (step == 0) story.take(story.order.added(7));
                    if (step == 1) story.take(story.order.started(7));
                    if (step == 2) story.take(story.order.answered(7));
                    if (step == 3) story.take(story.order.exited({3, {}}));
                }
            }
            CHECK(story.text() == "added started exited:3");
            CHECK(story.order.is_over());
        }
    } while (std::next_permutation(steps.begin(), steps.end()));
}

TEST_CASE("an end is held until whoever has started the process has the answer") {
    Story story;
    story.take(story.order.added(7));
    story.take(story.order.started(7));
    story.take(story.order.exited({3, {}}));
    CHECK(story.text() == "added started");
    CHECK(story.order.has_ended());
    CHECK_FALSE(story.order.is_over());
    story.take(story.order.answered(7));
    CHECK(story.text() == "added started exited:3");
}

TEST_CASE("what the engine has not told is told all the same") {
    Story story;
    story.take(story.order.answered(7));
    story.take(story.order.exited({0, {}}));
    CHECK(story.text() == "added started exited:0");
    CHECK(story.order.pid() == 7);
}

TEST_CASE("a start that fails is told if there was something to be seen of it") {
    Story silent;
    silent.take(silent.order.failed("no", std::nullopt));
    CHECK(silent.text().empty());
    CHECK(silent.order.is_over());

    Story seen;
    seen.take(seen.order.added(7));
    seen.take(seen.order.failed("no", std::nullopt));
    seen.take(seen.order.exited({9, {}}));
    seen.take(seen.order.failed("again", std::nullopt));
    CHECK(seen.text() == "added exited(no)");

    Story told;
    told.take(told.order.failed("not found", ProcessEnd{127, {}}));
    CHECK(told.text() == "exited:127(not found)");
}

TEST_CASE("of a process that runs already nothing but its end is told") {
    Story story;
    story.order = ProcessOrder::running(7);
    story.take(story.order.added(7));
    story.take(story.order.started(7));
    story.take(story.order.exited({1, {}}));
    CHECK(story.text() == "exited:1");
}
