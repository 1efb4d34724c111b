// The folder of tasks: what is wanted while its file is there. And the credentials file.
//
// A file's task is made once in each life of the machine, and again when the file says something else.
#include <algorithm>
#include <cstdint>
#include <exception>
#include <set>
#include <stdexcept>
#include <utility>

#include "daemon/tasks/credentials_file.h"
#include "daemon/tasks/definition_reader.h"
#include "daemon/tasks/small_file.h"
#include "daemon/tasks/task_supervisor.h"
#include "engines/support/text.h"

namespace shorewatch {

namespace {

// FNV-1a: it tells a file from itself before, not from one that somebody has forged to look like it.
std::string digest_of(const std::string& text) {
    constexpr std::uint64_t prime = 0x100000001b3;
    constexpr const char* digits = "0123456789abcdef";
    std::uint64_t hash = 0xcbf29ce484222325;
    for (const char character : text)
        hash = (hash ^ static_cast<unsigned char>(character)) * prime;
    std::string digest;
    for (int shift = 60; shift >= 0; shift -= 4)
        digest += digits[(hash >> static_cast<unsigned>(shift)) & 0xfU];
    return digest;
}

}  // namespace

TaskFiles read_tasks_folder(const std::filesystem::path& folder) {
    TaskFiles found;
    if (folder.empty()) return found;
    std::vector<std::string> names;
    try {
        names = json_files_in(folder);
    } catch (const std::exception& error) {
        found.problems.emplace_back(error.what());
        found.is_complete = false;
        return found;
    }
    std::size_t bytes = 0;
    for (const std::string& name : names) {
        try {
            // It would not be the same name once it has been kept.
            if (printable(valid_utf8(name)) != name)
                throw std::runtime_error(printable(name) + ": its name is no plain text; give it another");
            auto text = read_small_file(folder / name, longest_definition);
            if (!text) continue;  // gone meanwhile, or a link to nowhere
            bytes += text->size();
            if (bytes > most_definition_bytes)
                throw std::runtime_error(printable(name) + ": the folder's files are too large together");
            found.files.push_back({name, std::move(*text)});
        } catch (const std::exception& error) {
            found.problems.emplace_back(error.what());
            found.unreadable.push_back(name);
        }
    }
    return found;
}

void TaskSupervisor::reload(const TaskSettings& settings) {
    settings_ = settings;
    read_credentials();
    follow(read_tasks_folder(settings_.tasks_folder));
    for (const auto& [arn, actor] : tasks_)
        actor->wake();
}

void TaskSupervisor::read_credentials() {
    credentials_problem_.clear();
    try {
        credentials_ = read_credentials_file(settings_.credentials_file);
    } catch (const std::exception& error) {
        // What was read before is still better than nothing.
        credentials_problem_ = error.what();
    }
}

void TaskSupervisor::follow(const TaskFiles& files) {
    files_ = files;
    std::set<std::string> present(files.unreadable.begin(), files.unreadable.end());
    for (const TaskFiles::File& file : files.files)
        present.insert(file.name);
    if (files.is_complete) {
        std::set<std::string> gone;
        for (const auto& [name, followed] : followed_) {
            if (!present.contains(name)) gone.insert(name);
        }
        for (const std::string& name : gone)
            drop_file(name);
    }
    std::vector<std::string> problems = files.problems;
    for (const TaskFiles::File& file : files.files) {
        if (std::string problem = follow_file(file); !problem.empty()) problems.push_back(std::move(problem));
    }
    file_problem_.clear();
    for (const std::string& problem : problems)
        file_problem_ += (file_problem_.empty() ? "" : "; ") + problem;
    tell_problem();
}

// Next on the loop, for whoever asks is in the middle of something.
void TaskSupervisor::follow_again() {
    surroundings_->post([this, alive = std::weak_ptr(alive_)] {
        if (alive.expired()) return;
        const TaskFiles files = files_;
        follow(files);
    });
}

void TaskSupervisor::drop_file(const std::string& name) {
    followed_.erase(name);
    saver_.change();
    for (TaskActor* actor : actors_of_file(name))
        actor->stop("its file " + printable(name) + " is gone");
}

std::vector<TaskActor*> TaskSupervisor::actors_of_file(const std::string& name) const {
    std::vector<TaskActor*> actors;
    for (const auto& [arn, actor] : tasks_) {
        if (actor->record().file == name) actors.push_back(actor.get());
    }
    return actors;
}

std::string TaskSupervisor::shown(const std::string& name) const {
    return printable((settings_.tasks_folder / name).native());
}

// What is wrong with it, in a printable line; its task is as it was then.
std::string TaskSupervisor::follow_file(const TaskFiles::File& file) {
    try {
        return follow_wanted(file.name, read_definition(file.text));
    } catch (const InvalidDefinition& error) {
        return shown(file.name) + ": " + error.path() + " " + error.what();
    }
}

std::string TaskSupervisor::follow_wanted(const std::string& name, WantedTask wanted) {
    if (wanted.arn.empty()) wanted.arn = valid_utf8("tasks.d/" + name);
    const std::string digest =
        digest_of(wanted.arn + "\n" + std::string(to_string(wanted.desired)) + "\n" + wanted.json);
    for (TaskActor* actor : actors_of_file(name)) {
        if (actor->record().arn != wanted.arn)
            actor->stop("its file " + printable(name) + " is of another task");
    }
    const auto followed = followed_.find(name);
    const bool same = followed != followed_.end() && followed->second.digest == digest;
    const bool same_life = same && followed->second.boot == boot_;
    TaskActor* actor = actor_of(wanted.arn);
    if (actor != nullptr && actor->record().file != name) {
        return shown(name) + ": there is a task " + printable(wanted.arn) +
               " already, which is not this file's; give one of them another taskArn";
    }
    if (actor != nullptr) {
        const bool runs = actor->record().desired < TaskStatus::stopped;
        if (same_life || (same && runs)) {
            actor->take_credentials(wanted.credentials);
        } else {
            // Made anew when it is gone: two of them could want the same port.
            actor->remove(same ? "the machine was started anew"
                               : "its file " + printable(name) + " has changed");
        }
        return {};
    }
    if (same_life) return {};  // It was there, and is over.
    const auto taken = take(wanted, name);
    if (const auto* error = std::get_if<TaskError>(&taken)) return shown(name) + ": " + error->message;
    followed_.insert_or_assign(name, FollowedFile{digest, boot_});
    saver_.change();
    return {};
}

}  // namespace shorewatch
