// The task engine on the bus, and the signals of what becomes of its tasks.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "daemon/tasks/task_engine.h"
#include "dbus/compat/sdbus.h"
#include "dbus/interfaces/taskengine_adaptor.h"
#include "dbus/service/service_context.h"

namespace shorewatch::bus {

class TaskEngineObject final : public sdbus::AdaptorInterfaces<org::shorewatch1::TaskEngine_adaptor> {
  public:
    // tasks outlives this. sequence: the number of the last signal, which goes on over connections.
    TaskEngineObject(sdbus::IConnection& connection, const ServiceContext& context, TaskEngine& tasks,
                     std::uint64_t& sequence);
    ~TaskEngineObject();
    TaskEngineObject(const TaskEngineObject&) = delete;
    TaskEngineObject& operator=(const TaskEngineObject&) = delete;

    void announce_added();
    void announce_removed();
    void announce_status(const TaskView& task, const TaskContainerView& container);
    void announce_status(const TaskView& task);
    void announce_problem();
    // Says that the number of tasks is another than before, without the number.
    void invalidate_total();

  private:
    using TaskRow = sdbus::Struct<sdbus::ObjectPath, Dictionary>;
    // An image's id, names, size, and when it was made; what later versions may add.
    using ImageRow =
        sdbus::Struct<std::string, std::vector<std::string>, std::uint64_t, std::uint64_t, Dictionary>;

    void AddTask(sdbus::Result<sdbus::ObjectPath>&& result, std::string task_definition_json) override;
    std::vector<TaskRow> ListTasks() override;
    sdbus::ObjectPath GetTask(const std::string& arn) override;
    void ListImages(sdbus::Result<std::vector<ImageRow>>&& result) override;
    void ExportState(sdbus::Result<std::string>&& result) override;
    std::string Engine() override;
    std::string Problem() override;
    uint32_t TaskTotal() override;
    uint64_t Sequence() override;

    const ServiceContext& context_;
    TaskEngine& tasks_;
    std::uint64_t& sequence_;
};

}  // namespace shorewatch::bus
