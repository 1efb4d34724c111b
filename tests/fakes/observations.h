// What a fake engine has seen of its clients: noted by its thread, read and waited for by tests.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "tests/fakes/behaviour.h"
#include "tests/fakes/drive.h"

namespace shorewatch::fakes {

// One request that the engine has got.
struct SeenRequest {
    Request kind = Request::other;
    HttpRequest http;
    std::string api;        // "1.41"; empty when the path names none
    std::string container;  // of an inspect or a control, as the client wrote it
    std::string action;     // of a control: "pause", "unpause", "stop", "kill"
};

struct Seen {
    std::vector<SeenRequest> requests;  // in order
    std::size_t connections = 0;        // open now
    std::size_t streams = 0;            // event streams that stand now
    std::size_t inspects = 0;           // asked and not wholly answered now
    std::size_t inspects_at_most = 0;   // the most there ever were at once

    [[nodiscard]] std::size_t count(Request kind) const;
    // All versions that were asked for.
    [[nodiscard]] std::set<std::string> apis() const;
    // The last request of a kind; null when there was none.
    [[nodiscard]] const SeenRequest* last(Request kind) const;
};

class Observations {
  public:
    void note(const std::function<void(Seen&)>& change);

    [[nodiscard]] Seen seen() const;
    [[nodiscard]] bool has(const std::function<bool(const Seen&)>& happened) const;
    [[nodiscard]] bool wait_until(const std::function<bool(const Seen&)>& happened,
                                  Clock::duration limit) const;
    void wakes(EventLoop& loop);

  private:
    mutable std::mutex mutex_;
    mutable std::condition_variable changed_;
    Seen seen_;                      // guarded by mutex_
    std::vector<EventLoop*> loops_;  // guarded by mutex_
};

}  // namespace shorewatch::fakes
