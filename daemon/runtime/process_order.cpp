#include "daemon/runtime/process_order.h"

#include <utility>

namespace shorewatch {

using What = ProcessOrder::Told::What;

ProcessOrder ProcessOrder::running(std::uint32_t pid) {
    ProcessOrder order;
    order.pid_ = pid;
    order.added_ = order.started_ = order.answered_ = true;
    return order;
}

void ProcessOrder::tell_added(List& list) {
    if (!std::exchange(added_, true)) list.push_back({What::added, pid_, {}, {}});
}

void ProcessOrder::tell_started(List& list) {
    tell_added(list);
    if (!std::exchange(started_, true)) list.push_back({What::started, pid_, {}, {}});
}

ProcessOrder::List ProcessOrder::added(std::uint32_t pid) {
    List list;
    if (over_) return list;
    if (pid != 0) pid_ = pid;
    tell_added(list);
    return list;
}

ProcessOrder::List ProcessOrder::started(std::uint32_t pid) {
    List list;
    if (over_) return list;
    if (pid != 0) pid_ = pid;
    tell_started(list);
    return list;
}

ProcessOrder::List ProcessOrder::exited(const ProcessEnd& end) {
    List list;
    if (over_) return list;
    if (!end_) end_ = end;
    if (!answered_) return list;
    tell_started(list);
    over_ = true;
    list.push_back({What::exited, pid_, end_, {}});
    return list;
}

ProcessOrder::List ProcessOrder::answered(std::uint32_t pid) {
    List list;
    if (over_) return list;
    if (pid != 0) pid_ = pid;
    answered_ = true;
    tell_started(list);
    if (!end_) return list;
    over_ = true;
    list.push_back({What::exited, pid_, end_, {}});
    return list;
}

ProcessOrder::List ProcessOrder::failed(const std::string& error, const std::optional<ProcessEnd>& end) {
    List list;
    if (over_) return list;
    over_ = true;
    if (end) end_ = end;
    if (added_ || end) list.push_back({What::exited, pid_, end_, error});
    return list;
}

}  // namespace shorewatch
