#include "dbus/service/runtime_values.h"

#include <utility>

#include "engines/support/text.h"

namespace shorewatch::bus {

namespace {

// Of all labels in one answer: a bus disconnects whoever sends more than 32 MiB.
constexpr std::size_t most_label_bytes = std::size_t{16} * 1024 * 1024;

struct ValueOf {
    sdbus::Variant operator()(std::uint64_t number) const { return sdbus::Variant(number); }
    sdbus::Variant operator()(const std::vector<std::uint64_t>& numbers) const {
        return sdbus::Variant(numbers);
    }
    sdbus::Variant operator()(const std::vector<Metric::OfDevice>& devices) const {
        if (!devices.front().operation.empty()) {
            std::vector<sdbus::Struct<std::uint64_t, std::uint64_t, std::string, std::uint64_t>> rows;
            rows.reserve(devices.size());
            for (const Metric::OfDevice& device : devices)
                rows.emplace_back(device.major, device.minor, device.operation, device.value);
            return sdbus::Variant(rows);
        }
        std::vector<sdbus::Struct<std::uint64_t, std::uint64_t, std::uint64_t>> rows;
        rows.reserve(devices.size());
        for (const Metric::OfDevice& device : devices)
            rows.emplace_back(device.major, device.minor, device.value);
        return sdbus::Variant(rows);
    }
};

std::map<std::string, std::string> labels_of(const ListedContainer& row) {
    std::map<std::string, std::string> labels;
    for (const auto& [key, value] : row.record.labels)
        labels.emplace(valid_utf8(key), valid_utf8(value));
    return labels;
}

std::size_t bytes_of(const std::map<std::string, std::string>& labels) {
    std::size_t bytes = 0;
    for (const auto& [key, value] : labels)
        bytes += key.size() + value.size();
    return bytes;
}

}  // namespace

Stdio stdio_of(ClientEnds& ends) {
    Stdio stdio;
    const auto add = [&stdio](const char* name, UniqueFd& fd) {
        if (fd) stdio.emplace(name, sdbus::UnixFd(fd.release(), sdbus::adopt_fd));
    };
    add("stdin", ends.in);
    add("stdout", ends.out);
    add("stderr", ends.error);
    return stdio;
}

Dictionary metrics_of(const Metrics& metrics) {
    Dictionary values;
    values.emplace("CgroupVersion", sdbus::Variant(metrics.cgroup_version));
    for (const Metric& figure : metrics.figures)
        values.emplace(figure.name, std::visit(ValueOf{}, figure.value));
    return values;
}

ProcessRows rows_of(const std::vector<SummaryRow>& rows) {
    ProcessRows result;
    for (const SummaryRow& row : rows)
        result.emplace_back(row.pid, row.name, row.arguments);
    return result;
}

RuntimeRows rows_of(const ContainerListing& listing) {
    RuntimeRows rows;
    std::size_t label_bytes = 0;
    for (const ListedContainer& container : listing.containers) {
        Dictionary row;
        row.emplace("Namespace", sdbus::Variant(container.place.name_space));
        row.emplace("Status", sdbus::Variant(container.status));
        row.emplace("Image", sdbus::Variant(valid_utf8(container.record.image, longest_name)));
        row.emplace("RemoveOnExit", sdbus::Variant(container.remove_on_exit));
        row.emplace("Processes", sdbus::Variant(container.processes));
        if (container.record.created)
            row.emplace("CreatedAt", sdbus::Variant(to_usec(container.record.created)));
        auto labels = labels_of(container);
        label_bytes += bytes_of(labels);
        if (label_bytes <= most_label_bytes) row.emplace("Labels", sdbus::Variant(labels));
        if (container.pid != 0) {
            row.emplace("PID", sdbus::Variant(container.pid));
            row.emplace("Terminal", sdbus::Variant(container.terminal));
        }
        if (container.end) {
            row.emplace("ExitCode", sdbus::Variant(container.end->exit_code));
            if (container.end->time) row.emplace("ExitedAt", sdbus::Variant(to_usec(container.end->time)));
            row.emplace("OOMKilled", sdbus::Variant(container.oom_killed));
        }
        rows.emplace_back(container.id, std::move(row));
    }
    return rows;
}

Dictionary info_of(const RuntimeSignal& signal) {
    Dictionary info;
    if (signal.pid) info.emplace("PID", sdbus::Variant(*signal.pid));
    if (signal.exit_code) info.emplace("ExitCode", sdbus::Variant(*signal.exit_code));
    if (signal.exited) info.emplace("ExitedAt", sdbus::Variant(to_usec(signal.exited)));
    if (signal.oom_killed) info.emplace("OOMKilled", sdbus::Variant(*signal.oom_killed));
    if (!signal.error.empty()) info.emplace("Error", sdbus::Variant(signal.error));
    return info;
}

}  // namespace shorewatch::bus
