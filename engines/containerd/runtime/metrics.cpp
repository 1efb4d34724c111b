#include "engines/containerd/runtime/metrics.h"

#include <array>
#include <limits>
#include <string>
#include <utility>

#include "cgroups1.pb.h"
#include "cgroups2.pb.h"
#include "containerd.pb.h"
#include "runtime.pb.h"

#include "engines/containerd/time_in.h"
#include "engines/grpc/message.h"
#include "engines/support/text.h"

namespace shorewatch::containerd {

namespace {

// A figure of a message, under the name that the kernel has for it.
template <typename Message>
struct Figure {
    std::string_view name;
    std::uint64_t (Message::*value)() const;
};

class Collector {
  public:
    explicit Collector(Metrics& metrics) : metrics_(metrics) {}

    void add(std::string name, std::uint64_t value) { metrics_.figures.push_back({std::move(name), value}); }

    template <typename Message, std::size_t count>
    void add_all(const Message& message, const std::array<Figure<Message>, count>& figures) {
        for (const Figure<Message>& figure : figures)
            add(std::string(figure.name), (message.*figure.value)());
    }

    // Entries of version 1.
    template <typename Entries>
    void add_devices(std::string name, const Entries& entries) {
        std::vector<Metric::OfDevice> devices;
        for (const cgroups1::BlkIOEntry& entry : entries)
            devices.push_back({entry.major(), entry.minor(), valid_utf8(entry.op()), entry.value()});
        if (!devices.empty()) metrics_.figures.push_back({std::move(name), std::move(devices)});
    }
    // Of version 2.
    void add_devices(std::string name, const cgroups2::IOStat& io,
                     std::uint64_t (cgroups2::IOEntry::*value)() const) {
        std::vector<Metric::OfDevice> devices;
        for (const cgroups2::IOEntry& entry : io.usage())
            devices.push_back({entry.major(), entry.minor(), {}, (entry.*value)()});
        if (!devices.empty()) metrics_.figures.push_back({std::move(name), std::move(devices)});
    }
    void add_list(std::string name, std::vector<std::uint64_t> values) {
        metrics_.figures.push_back({std::move(name), std::move(values)});
    }

  private:
    Metrics& metrics_;
};

constexpr std::array<Figure<cgroups1::MemoryStat>, 32> memory1{{
    {"memory.stat.cache", &cgroups1::MemoryStat::cache},
    {"memory.stat.rss", &cgroups1::MemoryStat::rss},
    {"memory.stat.rss_huge", &cgroups1::MemoryStat::rss_huge},
    {"memory.stat.mapped_file", &cgroups1::MemoryStat::mapped_file},
    {"memory.stat.dirty", &cgroups1::MemoryStat::dirty},
    {"memory.stat.writeback", &cgroups1::MemoryStat::writeback},
    {"memory.stat.pgpgin", &cgroups1::MemoryStat::pg_pg_in},
    {"memory.stat.pgpgout", &cgroups1::MemoryStat::pg_pg_out},
    {"memory.stat.pgfault", &cgroups1::MemoryStat::pg_fault},
    {"memory.stat.pgmajfault", &cgroups1::MemoryStat::pg_maj_fault},
    {"memory.stat.inactive_anon", &cgroups1::MemoryStat::inactive_anon},
    {"memory.stat.active_anon", &cgroups1::MemoryStat::active_anon},
    {"memory.stat.inactive_file", &cgroups1::MemoryStat::inactive_file},
    {"memory.stat.active_file", &cgroups1::MemoryStat::active_file},
    {"memory.stat.unevictable", &cgroups1::MemoryStat::unevictable},
    {"memory.stat.hierarchical_memory_limit", &cgroups1::MemoryStat::hierarchical_memory_limit},
    {"memory.stat.hierarchical_memsw_limit", &cgroups1::MemoryStat::hierarchical_swap_limit},
    {"memory.stat.total_cache", &cgroups1::MemoryStat::total_cache},
    {"memory.stat.total_rss", &cgroups1::MemoryStat::total_rss},
    {"memory.stat.total_rss_huge", &cgroups1::MemoryStat::total_rss_huge},
    {"memory.stat.total_mapped_file", &cgroups1::MemoryStat::total_mapped_file},
    {"memory.stat.total_dirty", &cgroups1::MemoryStat::total_dirty},
    {"memory.stat.total_writeback", &cgroups1::MemoryStat::total_writeback},
    {"memory.stat.total_pgpgin", &cgroups1::MemoryStat::total_pg_pg_in},
    {"memory.stat.total_pgpgout", &cgroups1::MemoryStat::total_pg_pg_out},
    {"memory.stat.total_pgfault", &cgroups1::MemoryStat::total_pg_fault},
    {"memory.stat.total_pgmajfault", &cgroups1::MemoryStat::total_pg_maj_fault},
    {"memory.stat.total_inactive_anon", &cgroups1::MemoryStat::total_inactive_anon},
    {"memory.stat.total_active_anon", &cgroups1::MemoryStat::total_active_anon},
    {"memory.stat.total_inactive_file", &cgroups1::MemoryStat::total_inactive_file},
    {"memory.stat.total_active_file", &cgroups1::MemoryStat::total_active_file},
    {"memory.stat.total_unevictable", &cgroups1::MemoryStat::total_unevictable},
}};

constexpr std::array<Figure<cgroups2::MemoryStat>, 35> memory2{{
    {"memory.stat.anon", &cgroups2::MemoryStat::anon},
    {"memory.stat.file", &cgroups2::MemoryStat::file},
    {"memory.stat.kernel_stack", &cgroups2::MemoryStat::kernel_stack},
    {"memory.stat.slab", &cgroups2::MemoryStat::slab},
    {"memory.stat.sock", &cgroups2::MemoryStat::sock},
    {"memory.stat.shmem", &cgroups2::MemoryStat::shmem},
    {"memory.stat.file_mapped", &cgroups2::MemoryStat::file_mapped},
    {"memory.stat.file_dirty", &cgroups2::MemoryStat::file_dirty},
    {"memory.stat.file_writeback", &cgroups2::MemoryStat::file_writeback},
    {"memory.stat.anon_thp", &cgroups2::MemoryStat::anon_thp},
    {"memory.stat.inactive_anon", &cgroups2::MemoryStat::inactive_anon},
    {"memory.stat.active_anon", &cgroups2::MemoryStat::active_anon},
    {"memory.stat.inactive_file", &cgroups2::MemoryStat::inactive_file},
    {"memory.stat.active_file", &cgroups2::MemoryStat::active_file},
    {"memory.stat.unevictable", &cgroups2::MemoryStat::unevictable},
    {"memory.stat.slab_reclaimable", &cgroups2::MemoryStat::slab_reclaimable},
    {"memory.stat.slab_unreclaimable", &cgroups2::MemoryStat::slab_unreclaimable},
    {"memory.stat.pgfault", &cgroups2::MemoryStat::pgfault},
    {"memory.stat.pgmajfault", &cgroups2::MemoryStat::pgmajfault},
    {"memory.stat.workingset_refault", &cgroups2::MemoryStat::workingset_refault},
    {"memory.stat.workingset_activate", &cgroups2::MemoryStat::workingset_activate},
    {"memory.stat.workingset_nodereclaim", &cgroups2::MemoryStat::workingset_nodereclaim},
    {"memory.stat.pgrefill", &cgroups2::MemoryStat::pgrefill},
    {"memory.stat.pgscan", &cgroups2::MemoryStat::pgscan},
    {"memory.stat.pgsteal", &cgroups2::MemoryStat::pgsteal},
    {"memory.stat.pgactivate", &cgroups2::MemoryStat::pgactivate},
    {"memory.stat.pgdeactivate", &cgroups2::MemoryStat::pgdeactivate},
    {"memory.stat.pglazyfree", &cgroups2::MemoryStat::pglazyfree},
    {"memory.stat.pglazyfreed", &cgroups2::MemoryStat::pglazyfreed},
    {"memory.stat.thp_fault_alloc", &cgroups2::MemoryStat::thp_fault_alloc},
    {"memory.stat.thp_collapse_alloc", &cgroups2::MemoryStat::thp_collapse_alloc},
    {"memory.stat.workingset_refault_anon", &cgroups2::MemoryStat::workingset_refault_anon},
    {"memory.stat.workingset_refault_file", &cgroups2::MemoryStat::workingset_refault_file},
    {"memory.stat.workingset_activate_anon", &cgroups2::MemoryStat::workingset_activate_anon},
    {"memory.stat.workingset_activate_file", &cgroups2::MemoryStat::workingset_activate_file},
}};

constexpr std::array<Figure<cgroups2::CPUStat>, 6> cpu2{{
    {"cpu.stat.usage_usec", &cgroups2::CPUStat::usage_usec},
    {"cpu.stat.user_usec", &cgroups2::CPUStat::user_usec},
    {"cpu.stat.system_usec", &cgroups2::CPUStat::system_usec},
    {"cpu.stat.nr_periods", &cgroups2::CPUStat::nr_periods},
    {"cpu.stat.nr_throttled", &cgroups2::CPUStat::nr_throttled},
    {"cpu.stat.throttled_usec", &cgroups2::CPUStat::throttled_usec},
}};

constexpr std::array<Figure<cgroups2::MemoryEvents>, 5> memory_events2{{
    {"memory.events.low", &cgroups2::MemoryEvents::low},
    {"memory.events.high", &cgroups2::MemoryEvents::high},
    {"memory.events.max", &cgroups2::MemoryEvents::max},
    {"memory.events.oom", &cgroups2::MemoryEvents::oom},
    {"memory.events.oom_kill", &cgroups2::MemoryEvents::oom_kill},
}};

// The shim tells no limit of processes as 0.
std::uint64_t pids_limit(std::uint64_t told) {
    return told == 0 ? std::numeric_limits<std::uint64_t>::max() : told;
}

void collect_entry(Collector& out, const std::string& name, const cgroups1::MemoryEntry& entry) {
    out.add(name + ".usage_in_bytes", entry.usage());
    out.add(name + ".max_usage_in_bytes", entry.max());
    out.add(name + ".limit_in_bytes", entry.limit());
    out.add(name + ".failcnt", entry.failcnt());
}

void collect_cpu(Collector& out, const cgroups1::CPUStat& cpu) {
    if (cpu.has_usage()) {
        out.add("cpuacct.usage", cpu.usage().total());
        out.add("cpuacct.usage_user", cpu.usage().user());
        out.add("cpuacct.usage_sys", cpu.usage().kernel());
        const auto& each = cpu.usage().per_cpu();
        if (!each.empty()) out.add_list("cpuacct.usage_percpu", {each.begin(), each.end()});
    }
    if (cpu.has_throttling()) {
        out.add("cpu.stat.nr_periods", cpu.throttling().periods());
        out.add("cpu.stat.nr_throttled", cpu.throttling().throttled_periods());
        out.add("cpu.stat.throttled_time", cpu.throttling().throttled_time());
    }
}

void collect_memory(Collector& out, const cgroups1::MemoryStat& memory) {
    out.add_all(memory, memory1);
    if (memory.has_usage()) collect_entry(out, "memory", memory.usage());
    if (memory.has_swap()) collect_entry(out, "memory.memsw", memory.swap());
    if (memory.has_kernel()) collect_entry(out, "memory.kmem", memory.kernel());
    if (memory.has_kernel_tcp()) collect_entry(out, "memory.kmem.tcp", memory.kernel_tcp());
}

void collect_blkio(Collector& out, const cgroups1::BlkIOStat& blkio) {
    out.add_devices("blkio.io_service_bytes_recursive", blkio.io_service_bytes_recursive());
    out.add_devices("blkio.io_serviced_recursive", blkio.io_serviced_recursive());
    out.add_devices("blkio.io_queued_recursive", blkio.io_queued_recursive());
    out.add_devices("blkio.io_service_time_recursive", blkio.io_service_time_recursive());
    out.add_devices("blkio.io_wait_time_recursive", blkio.io_wait_time_recursive());
    out.add_devices("blkio.io_merged_recursive", blkio.io_merged_recursive());
    out.add_devices("blkio.time_recursive", blkio.io_time_recursive());
    out.add_devices("blkio.sectors_recursive", blkio.sectors_recursive());
}

void collect(Collector& out, const cgroups1::Metrics& told) {
    if (told.has_pids()) {
        out.add("pids.current", told.pids().current());
        out.add("pids.max", pids_limit(told.pids().limit()));
    }
    if (told.has_cpu()) collect_cpu(out, told.cpu());
    if (told.has_memory()) collect_memory(out, told.memory());
    if (told.has_memory_oom_control()) {
        const cgroups1::MemoryOomControl& oom = told.memory_oom_control();
        out.add("memory.oom_control.oom_kill_disable", oom.oom_kill_disable());
        out.add("memory.oom_control.under_oom", oom.under_oom());
        out.add("memory.oom_control.oom_kill", oom.oom_kill());
    }
    if (told.has_blkio()) collect_blkio(out, told.blkio());
    for (const cgroups1::HugetlbStat& huge : told.hugetlb()) {
        const std::string name = "hugetlb." + valid_utf8(huge.pagesize(), longest_name);
        out.add(name + ".usage_in_bytes", huge.usage());
        out.add(name + ".max_usage_in_bytes", huge.max());
        out.add(name + ".failcnt", huge.failcnt());
    }
}

void collect(Collector& out, const cgroups2::Metrics& told) {
    if (told.has_pids()) {
        out.add("pids.current", told.pids().current());
        out.add("pids.max", pids_limit(told.pids().limit()));
    }
    if (told.has_cpu()) out.add_all(told.cpu(), cpu2);
    if (told.has_memory()) {
        const cgroups2::MemoryStat& memory = told.memory();
        out.add_all(memory, memory2);
        out.add("memory.current", memory.usage());
        out.add("memory.max", memory.usage_limit());
        out.add("memory.swap.current", memory.swap_usage());
        out.add("memory.swap.max", memory.swap_limit());
    }
    if (told.has_memory_events()) out.add_all(told.memory_events(), memory_events2);
    if (told.has_io()) {
        out.add_devices("io.stat.rbytes", told.io(), &cgroups2::IOEntry::rbytes);
        out.add_devices("io.stat.wbytes", told.io(), &cgroups2::IOEntry::wbytes);
        out.add_devices("io.stat.rios", told.io(), &cgroups2::IOEntry::rios);
        out.add_devices("io.stat.wios", told.io(), &cgroups2::IOEntry::wios);
    }
    for (const cgroups2::HugeTlbStat& huge : told.hugetlb()) {
        const std::string name = "hugetlb." + valid_utf8(huge.pagesize(), longest_name);
        out.add(name + ".current", huge.current());
        out.add(name + ".max", huge.max());
    }
}

template <typename Message>
bool read_group(Metrics& metrics, std::uint32_t version, const std::string& bytes) {
    const auto told = grpc::parsed<Message>(bytes);
    if (!told) return false;
    metrics.cgroup_version = version;
    Collector out(metrics);
    collect(out, *told);
    return true;
}

}  // namespace

std::optional<Metrics> decode_metrics(std::string_view bytes) {
    const auto response = grpc::parsed<api::MetricsResponse>(bytes);
    if (!response) return std::nullopt;
    Metrics metrics;
    if (response->metrics_size() == 0) return metrics;
    const api::Metric& told = response->metrics(0);
    metrics.read_at = time_in(told.timestamp());
    // The types are told by their Go packages' names for them.
    const std::string& type = told.data().type_url();
    bool read = true;
    if (type.ends_with("io.containerd.cgroups.v1.Metrics")) {
        read = read_group<cgroups1::Metrics>(metrics, 1, told.data().value());
    } else if (type.ends_with("io.containerd.cgroups.v2.Metrics")) {
        read = read_group<cgroups2::Metrics>(metrics, 2, told.data().value());
    }
    return read ? std::optional(std::move(metrics)) : std::nullopt;
}

}  // namespace shorewatch::containerd
