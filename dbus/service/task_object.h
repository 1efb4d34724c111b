// A task on the bus.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "daemon/tasks/task_engine.h"
#include "dbus/compat/sdbus.h"
#include "dbus/interfaces/task_adaptor.h"
#include "dbus/service/service_context.h"
#include "dbus/service/task_values.h"

namespace shorewatch::bus {

class TaskObject final : public sdbus::AdaptorInterfaces<org::shorewatch1::Task_adaptor> {
  public:
    TaskObject(sdbus::IConnection& connection, const ServiceContext& context, const TaskView& task);
    ~TaskObject();
    TaskObject(const TaskObject&) = delete;
    TaskObject& operator=(const TaskObject&) = delete;

    void announce_added();
    void announce_removed();
    // It is now like this; says what has changed.
    void update(const TaskView& task);

  private:
    using Act = std::optional<TaskError> (TaskEngine::*)(std::string_view arn);

    void act(sdbus::Result<>&& result, std::string doing, Act order);

    void Stop(sdbus::Result<>&& result) override;
    void Remove(sdbus::Result<>&& result) override;
    std::string Arn() override;
    std::string Family() override;
    std::string Version() override;
    std::string File() override;
    uint64_t AddedAt() override;
    std::string DesiredStatus() override;
    std::string KnownStatus() override;
    std::string Reason() override;
    uint64_t StoppedAt() override;
    uint64_t CleanupAt() override;
    std::map<std::string, std::map<std::string, sdbus::Variant>> Containers() override;

    const ServiceContext& context_;
    TaskView task_;
};

}  // namespace shorewatch::bus
