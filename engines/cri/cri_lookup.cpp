#include "engines/cri/cri_lookup.h"

#include <utility>

#include "engines/error_text.h"

namespace shorewatch::cri {

bool Found::describe(const std::string& id, Container& container) const {
    if (const auto record = containers.find(id); record != containers.end()) {
        const auto pod = pods.find(record->second.pod_id);
        cri::describe(container, record->second, pod != pods.end() ? &pod->second : nullptr);
        return true;
    }
    const auto pod = pods.find(id);
    if (pod == pods.end()) return false;
    cri::describe(container, pod->second);
    return true;
}

std::chrono::milliseconds CriClient::Lookup::deadline() const {
    return id_.empty() ? session_.options().list_deadline : session_.options().inspect_deadline;
}

void CriClient::Lookup::start() {
    ++under_way_;
    session_.call("ListContainers", purpose_, list_request(id_), deadline(),
                  [self = shared_from_this()](const grpc::Answer& answer) { self->take_containers(answer); });
    ask_pods(id_);
}

void CriClient::Lookup::ask_pods(const std::string& id) {
    ++under_way_;
    session_.call("ListPodSandbox", purpose_, list_request(id), deadline(),
                  [self = shared_from_this()](const grpc::Answer& answer) { self->take_pods(answer); });
}

void CriClient::Lookup::take_containers(const grpc::Answer& answer) {
    if (!done_) return;
    if (!answer) return done_.give(answer.error.of_no_container());
    auto records = decode_containers(answer.message);
    if (!records) {
        return done_.give(make_error(EngineError::Kind::protocol, purpose_, session_.endpoint(),
                                     "the list of containers makes no sense"));
    }
    for (Record& record : *records) {
        // A filter takes the beginning of an id for the whole.
        if (!id_.empty() && record.id != id_) continue;
        if (!id_.empty() && is_id(record.pod_id)) ask_pods(record.pod_id);
        std::string id = record.id;
        found_.containers.insert_or_assign(std::move(id), std::move(record));
    }
    finish_one();
}

void CriClient::Lookup::take_pods(const grpc::Answer& answer) {
    if (!done_) return;
    if (!answer) return done_.give(answer.error.of_no_container());
    auto pods = decode_pods(answer.message);
    if (!pods) {
        return done_.give(make_error(EngineError::Kind::protocol, purpose_, session_.endpoint(),
                                     "the list of sandboxes makes no sense"));
    }
    for (Pod& pod : *pods) {
        std::string id = pod.id;
        found_.pods.insert_or_assign(std::move(id), std::move(pod));
    }
    finish_one();
}

void CriClient::Lookup::finish_one() {
    if (--under_way_ > 0) return;
    done_.give(std::move(found_));
}

}  // namespace shorewatch::cri
