#include "daemon/tasks/pull_desk.h"

#include <algorithm>
#include <utility>

namespace shorewatch {

PullDesk::Ticket PullDesk::pull(const std::string& image,
                                const std::optional<RegistryCredentials>& credentials, Reply reply) {
    const Ticket ticket = ++last_;
    Jobs& jobs = jobs_[image];
    const bool first = jobs.empty();
    auto job = std::ranges::find(jobs, credentials, &Job::credentials);
    if (job == jobs.end()) job = jobs.insert(jobs.end(), Job{credentials, {}});
    job->waiting.emplace(ticket, std::move(reply));
    if (first) begin(image);
    return ticket;
}

void PullDesk::forget(Ticket ticket) {
    for (auto& [image, jobs] : jobs_) {
        for (Job& job : jobs)
            job.waiting.erase(ticket);
        // The first is under way, and stays.
        const auto idle = [](const Job& job) { return job.waiting.empty(); };
        jobs.erase(std::remove_if(std::next(jobs.begin()), jobs.end(), idle), jobs.end());
    }
}

void PullDesk::begin(const std::string& image) {
    calls_.pull(image, jobs_.at(image).front().credentials,
                [this, image](const std::optional<EngineError>& error) { finish(image, error); });
}

void PullDesk::finish(const std::string& image, const std::optional<EngineError>& error) {
    const auto found = jobs_.find(image);
    const Job done = std::move(found->second.front());
    found->second.pop_front();
    if (found->second.empty()) {
        jobs_.erase(found);
    } else {
        begin(image);
    }
    for (const auto& [ticket, reply] : done.waiting)
        reply(error);
}

}  // namespace shorewatch
