// An engine as the task engine sees it: what is true there, and calls that are done and answered when a test
// says so, in any order, truthfully or not, or never.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "daemon/tasks/task_backend.h"

namespace shorewatch::testing {

enum class CallKind {
    pull,
    find_image,
    list_images,
    create,
    start,
    inspect,
    list,
    remove,
    create_volume,
    remove_volume,
    stop
};
const char* name_of(CallKind kind);

struct EngineCall {
    CallKind kind = CallKind::pull;
    std::string subject;  // an image, a name, an id
    std::optional<RegistryCredentials> credentials = {};
    std::optional<ContainerPlan> plan = {};
    std::optional<std::chrono::seconds> timeout = {};
    std::function<void()> work;               // does it, and remembers what it came to
    std::function<void()> tell = {};          // answers that
    std::function<void(EngineError)> refuse;  // answers an error, whatever it came to
    bool done = false;
    bool answered = false;
};
using EngineCallPtr = std::shared_ptr<EngineCall>;

// Something that happened to a container, on its way to the observer.
struct EngineNews {
    std::string id;
    std::optional<int> exit_code;  // nothing: it started
};

class TaskEngineModel final : public TaskBackend {
  public:
    using Container = DeployedContainer;

    // Told of each call as it is asked.
    std::function<void(const EngineCallPtr&)> on_call;
    // What containers are made of, and what was made and removed; all of it may be changed by tests.
    std::set<std::string> images;                      // here
    std::set<std::string> pullable;                    // at their registries
    std::map<std::string, Container> containers = {};  // by id
    std::map<std::string, std::string> volumes = {};   // by name: the owner's label
    std::vector<ContainerPlan> made = {};              // each that ever was
    std::deque<EngineNews> news = {};
    std::int64_t clock = 1'700'000'000;  // seconds, of its stamps

    void observe(TaskBackendObserver& observer) override { observer_ = &observer; }
    void pull(const std::string& image, const std::optional<RegistryCredentials>& credentials,
              Done reply) override;
    void find_image(const std::string& image, Done reply) override;
    void list_images(ImagesReply reply) override;
    void create(const ContainerPlan& plan, TextReply reply) override;
    void start(const std::string& id, Done reply) override;
    void inspect(const std::string& id_or_name, ContainerReply reply) override;
    void find_containers(const std::string& label, ContainersReply reply) override;
    void remove(const std::string& id, Done reply) override;
    void create_volume(const std::string& name, const StringPairs& labels, Done reply) override;
    void remove_volume(const std::string& name, Done reply) override;
    void stop(const std::string& id, std::chrono::seconds timeout, Done reply) override;

    // Null: nobody observes.
    [[nodiscard]] TaskBackendObserver* observer() const { return observer_; }
    void forget_observer() { observer_ = nullptr; }

    // By somebody else.
    void run(const std::string& id);
    void end(const std::string& id, int code);
    void erase(const std::string& id) { containers.erase(id); }
    [[nodiscard]] Container* with_name(const std::string& name);

    // Does the call's work, once.
    static void perform(EngineCall& call);
    static void answer(EngineCall& call);  // done before
    static void refuse(EngineCall& call, EngineError::Kind kind, const std::string& message);

  private:
    template <typename Outcome, typename Reply>
    EngineCallPtr make(CallKind kind, const std::string& subject, Reply reply, std::function<Outcome()> work);
    Result<std::string> do_create(const ContainerPlan& plan);

    TaskBackendObserver* observer_ = nullptr;
    std::uint64_t last_id_ = 0;
};

}  // namespace shorewatch::testing
