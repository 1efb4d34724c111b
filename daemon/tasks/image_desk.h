// Lists of the engine's images, for whoever asks: each asker is answered, also when the engine is not there,
// or the task engine goes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "daemon/tasks/engine_calls.h"
#include "daemon/tasks/surroundings.h"

namespace shorewatch {

class ImageDesk {
  public:
    using Reply = EngineCalls::ImagesReply;

    // Lists under way at a time. Whoever may ask shall not keep the engine from what tasks want of it.
    static constexpr std::size_t most_at_a_time = 8;

    // Both outlive it.
    ImageDesk(EngineCalls& calls, TaskSurroundings& surroundings)
        : calls_(calls), surroundings_(surroundings) {}
    ImageDesk(const ImageDesk&) = delete;
    ImageDesk& operator=(const ImageDesk&) = delete;
    // Answers those that are left, by an error of kind unreachable.
    ~ImageDesk();

    // Asks the engine. reply is called once, from the loop or by the destructor, and must not throw. busy:
    // there are too many under way.
    void list(Reply reply);
    // reply is called with this error instead, in the same way.
    void refuse(Reply reply, EngineError error);

  private:
    using Ticket = std::uint64_t;
    using Images = Result<std::vector<DeployedImage>>;

    Ticket take(Reply reply);
    void answer(Ticket ticket, Images images);

    EngineCalls& calls_;
    TaskSurroundings& surroundings_;
    std::map<Ticket, Reply> asking_;
    std::size_t under_way_ = 0;
    Ticket last_ = 0;
    // What is posted may have its turn after the end of this.
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace shorewatch
