#include "dbus/ctl/tasks/task_views.h"

#include <string_view>

#include <fmt/format.h>

#include "dbus/ctl/columns.h"
#include "dbus/ctl/runtime/runtime_views.h"
#include "dbus/ctl/table.h"
#include "dbus/ctl/time_format.h"

namespace shorewatch::ctl {

namespace {

std::string or_dash(const std::string& text) {
    return text.empty() ? "-" : text;
}

Tone tone_of(const std::string& known, const std::string& desired) {
    if (known == desired) return known == "RUNNING" ? Tone::good : Tone::faint;
    return known == "STOPPED" || known == "DEAD" ? Tone::faint : Tone::warning;
}

std::string line(std::string_view title, const std::string& value, const Style& style) {
    return padded(title.empty() ? "" : std::string(title) + ":", 13) + shown(or_dash(value), style) + "\n";
}

std::string time_text(std::uint64_t usec, std::uint64_t now) {
    if (usec == 0) return {};
    if (usec > now) return fmt::format("{} (in {})", local_date_time(usec), rough_duration(usec - now));
    return fmt::format("{} ({} ago)", local_date_time(usec), age(usec, now));
}

// How it ended, in words; empty: it has not, or it is not known.
std::string end_of(const TaskContainerInfo& container) {
    std::string text;
    if (container.exit_code) text = fmt::format("exit code {}", *container.exit_code);
    if (container.oom_killed) text += text.empty() ? "out of memory" : ", out of memory";
    if (!container.reason.empty()) text += (text.empty() ? "" : ": ") + container.reason;
    return text;
}

std::string running_of(const TaskInfo& task) {
    std::size_t running = 0;
    for (const TaskContainerInfo& container : task.containers)
        running += container.known == "RUNNING" ? 1U : 0U;
    return fmt::format("{}/{}", running, task.containers.size());
}

std::string container_details(const TaskContainerInfo& container, std::uint64_t now, const Style& style) {
    std::string text = "\n" + coloured(shown(container.name, style), Tone::strong, style) +
                       (container.essential ? "" : " (not essential)") + "\n";
    text += line("  Status", fmt::format("{}, wanted {}", container.known, container.desired), style);
    if (!container.waits_for.empty()) text += line("  Waits for", container.waits_for, style);
    if (const std::string end = end_of(container); !end.empty()) text += line("  Ended", end, style);
    text += line("  Image", container.image, style);
    if (!container.engine_name.empty()) text += line("  Name", container.engine_name, style);
    if (!container.id.empty()) text += line("  Id", container.id, style);
    if (container.started_at != 0) text += line("  Started", time_text(container.started_at, now), style);
    if (container.finished_at != 0) text += line("  Finished", time_text(container.finished_at, now), style);
    return text;
}

}  // namespace

std::string task_table(const std::vector<TaskInfo>& tasks, std::uint64_t now, const Style& style) {
    Table table({{"ARN", true},
                 {"FAMILY", true},
                 {"STATUS"},
                 {"WANTED"},
                 {"RUNNING", false, true},
                 {"AGE"},
                 {"REASON", true}});
    for (const TaskInfo& task : tasks) {
        table.add_row({{task.arn},
                       {fmt::format("{}:{}", task.family, task.version)},
                       {task.known, tone_of(task.known, task.desired)},
                       {task.desired},
                       {running_of(task)},
                       {age(task.added_at, now)},
                       {or_dash(task.reason)}});
    }
    return table.render(style);
}

std::string task_details(const TaskInfo& task, std::uint64_t now, const Style& style) {
    std::string text = line("Arn", task.arn, style);
    text += line("Family", fmt::format("{}:{}", task.family, task.version), style);
    text += line("Status", fmt::format("{}, wanted {}", task.known, task.desired), style);
    if (!task.reason.empty()) text += line("Reason", task.reason, style);
    if (!task.file.empty()) text += line("File", task.file, style);
    text += line("Added", time_text(task.added_at, now), style);
    if (task.stopped_at != 0) text += line("Stopped", time_text(task.stopped_at, now), style);
    if (task.cleanup_at != 0) text += line("Cleanup", time_text(task.cleanup_at, now), style);
    text += line("Object", task.path, style);
    for (const TaskContainerInfo& container : task.containers)
        text += container_details(container, now, style);
    return text;
}

std::string image_table(const std::vector<ImageInfo>& images, std::uint64_t now, const Style& style) {
    constexpr std::size_t shown_digits = 12;  // as the engines' own clients show them
    Table table({{"IMAGE", true}, {"ID"}, {"SIZE", false, true}, {"AGE"}});
    const auto add = [&](const std::string& name, const ImageInfo& image) {
        table.add_row({{or_dash(name)},
                       {image.id.substr(0, shown_digits)},
                       {image.size == 0 ? "-" : byte_text(image.size)},
                       {age(image.created_at, now)}});
    };
    for (const ImageInfo& image : images) {
        if (image.names.empty()) add({}, image);
        for (const std::string& name : image.names)
            add(name, image);
    }
    return table.render(style);
}

std::string task_event_text(const TaskEvent& event, std::uint64_t now, const Style& style) {
    const std::string time = style.width ? local_time(now) : local_date_time(now);
    const bool of_task = event.container.empty();
    std::string text = fmt::format("{}  {:<7}  {}", time, event.status,
                                   shown(of_task ? event.arn : event.arn + " " + event.container, style));
    if (!event.reason.empty()) text += "  " + shown(event.reason, style);
    if (of_task) return text;
    if (const auto code = find<std::int32_t>(event.details, "ExitCode"); code && event.status == "STOPPED")
        text += fmt::format("  exit code {}", *code);
    if (const auto reason = find<std::string>(event.details, "Reason"); reason && !reason->empty())
        text += "  " + shown(*reason, style);
    return text;
}

}  // namespace shorewatch::ctl
