#include "dbus/ctl/oci/seccomp.h"

#include <array>
#include <cerrno>
#include <initializer_list>

#include <sched.h>
#include <sys/socket.h>

#include "dbus/ctl/oci/seccomp_names.h"

namespace shorewatch::ctl {

namespace {

constexpr const char* allow = "SCMP_ACT_ALLOW";
constexpr const char* refuse = "SCMP_ACT_ERRNO";

constexpr std::uint64_t new_namespaces =
    CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWCGROUP;

// What programs ask of personality(2): Linux, 32 bits, no randomised addresses, both, and what they have.
constexpr std::uint64_t personalities[]{0, 0x8, 0x20000, 0x20008, 0xffffffff};

// One argument of a call, compared.
struct Condition {
    std::uint32_t index = 0;
    const char* comparison = nullptr;
    std::uint64_t value = 0;
    std::uint64_t other = 0;  // for a masked comparison, value being the mask
};

void write_rule(JsonText& json, std::string_view name, const Condition& condition) {
    json.object([&] {
        json.array_member("names", [&] { json.value(name); });
        json.member("action", allow);
        json.array_member("args", [&] {
            json.object([&] {
                json.member("index", condition.index);
                json.member("value", condition.value);
                json.member("valueTwo", condition.other);
                json.member("op", condition.comparison);
            });
        });
    });
}

void write_rule(JsonText& json, std::span<const std::string_view> names) {
    json.object([&] {
        json.array_member("names", [&] {
            for (const std::string_view name : names)
                json.value(name);
        });
        json.member("action", allow);
    });
}

void write_architectures(JsonText& json, std::string_view machine) {
    const auto write = [&](std::initializer_list<const char*> names) {
        json.array_member("architectures", [&] {
            for (const char* const name : names)
                json.value(name);
        });
    };
    if (machine == "x86_64") write({"SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"});
    if (machine == "aarch64") write({"SCMP_ARCH_AARCH64", "SCMP_ARCH_ARM"});
}

void write_machine_rules(JsonText& json, std::string_view machine) {
    constexpr auto x86 = std::to_array<std::string_view>({"arch_prctl", "modify_ldt"});
    constexpr auto arm =
        std::to_array<std::string_view>({"arm_fadvise64_64", "arm_sync_file_range", "breakpoint",
                                         "cacheflush", "set_tls", "sync_file_range2"});
    if (machine == "x86_64") write_rule(json, x86);
    if (machine == "aarch64") write_rule(json, arm);
}

// Threads and processes, but no namespaces. clone3 keeps its flags in memory, where no filter sees them: it
// must seem not to be there, so that libraries go back to clone.
void write_clone_rules(JsonText& json) {
    write_rule(json, "clone", {0, "SCMP_CMP_MASKED_EQ", new_namespaces, 0});
    json.object([&] {
        json.array_member("names", [&] { json.value("clone3"); });
        json.member("action", refuse);
        json.member("errnoRet", ENOSYS);
    });
}

}  // namespace

void write_seccomp(JsonText& json, const Capabilities& capabilities, std::string_view machine) {
    json.object([&] {
        json.member("defaultAction", refuse);
        json.member("defaultErrnoRet", EPERM);
        write_architectures(json, machine);
        json.array_member("syscalls", [&] {
            write_rule(json, allowed_calls());
            write_machine_rules(json, machine);
            // Not to the host, past all namespaces of networks.
            write_rule(json, "socket", {0, "SCMP_CMP_NE", AF_VSOCK, 0});
            for (const std::uint64_t personality : personalities)
                write_rule(json, "personality", {0, "SCMP_CMP_EQ", personality, 0});
            for (const PrivilegedCalls& calls : privileged_calls()) {
                if (capabilities.contains(std::string(calls.capability))) write_rule(json, calls.names);
            }
            if (!capabilities.contains("CAP_SYS_ADMIN")) write_clone_rules(json);
        });
    });
}

}  // namespace shorewatch::ctl
