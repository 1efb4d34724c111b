#include "dbus/ctl/oci/seccomp_names.h"

#include <array>

namespace shorewatch::ctl {

namespace {

constexpr auto allowed = std::to_array<std::string_view>({
    // clang-format off
    "_llseek", "_newselect", "accept", "accept4", "access", "adjtimex", "alarm", "bind", "brk", "cachestat",
    "capget", "capset", "chdir", "chmod", "chown", "chown32", "clock_adjtime", "clock_adjtime64",
    "clock_getres", "clock_getres_time64", "clock_gettime", "clock_gettime64", "clock_nanosleep",
    "clock_nanosleep_time64", "close", "close_range", "connect", "copy_file_range", "creat", "dup", "dup2",
    "dup3", "epoll_create", "epoll_create1", "epoll_ctl", "epoll_ctl_old", "epoll_pwait", "epoll_pwait2",
    "epoll_wait", "epoll_wait_old", "eventfd", "eventfd2", "execve", "execveat", "exit", "exit_group",
    "faccessat", "faccessat2", "fadvise64", "fadvise64_64", "fallocate", "fanotify_mark", "fchdir", "fchmod",
    "fchmodat", "fchmodat2", "fchown", "fchown32", "fchownat", "fcntl", "fcntl64", "fdatasync", "fgetxattr",
    "flistxattr", "flock", "fork", "fremovexattr", "fsetxattr", "fstat", "fstat64", "fstatat64", "fstatfs",
    "fstatfs64", "fsync", "ftruncate", "ftruncate64", "futex", "futex_requeue", "futex_time64", "futex_wait",
    "futex_waitv", "futex_wake", "futimesat", "get_robust_list", "get_thread_area", "getcpu", "getcwd",
    "getdents", "getdents64", "getegid", "getegid32", "geteuid", "geteuid32", "getgid", "getgid32",
    "getgroups", "getgroups32", "getitimer", "getpeername", "getpgid", "getpgrp", "getpid", "getppid",
    "getpriority", "getrandom", "getresgid", "getresgid32", "getresuid", "getresuid32", "getrlimit",
    "getrusage", "getsid", "getsockname", "getsockopt", "gettid", "gettimeofday", "getuid", "getuid32",
    "getxattr", "getxattrat", "inotify_add_watch", "inotify_init", "inotify_init1", "inotify_rm_watch",
    "io_cancel", "io_destroy", "io_getevents", "io_pgetevents", "io_pgetevents_time64", "io_setup",
    "io_submit", "ioctl", "ioprio_get", "ioprio_set", "ipc", "kill", "landlock_add_rule",
    "landlock_create_ruleset", "landlock_restrict_self", "lchown", "lchown32", "lgetxattr", "link", "linkat",
    "listen", "listmount", "listxattr", "listxattrat", "llistxattr", "lremovexattr", "lseek", "lsetxattr",
    "lsm_get_self_attr", "lsm_list_modules", "lstat", "lstat64", "madvise", "map_shadow_stack", "membarrier",
    "memfd_create", "memfd_secret", "mincore", "mkdir", "mkdirat", "mknod", "mknodat", "mlock", "mlock2",
    "mlockall", "mmap", "mmap2", "mprotect", "mq_getsetattr", "mq_notify", "mq_open", "mq_timedreceive",
    "mq_timedreceive_time64", "mq_timedsend", "mq_timedsend_time64", "mq_unlink", "mremap", "mseal", "msgctl",
    "msgget", "msgrcv", "msgsnd", "msync", "munlock", "munlockall", "munmap", "name_to_handle_at",
    "nanosleep", "newfstatat", "open", "openat", "openat2", "pause", "pidfd_open", "pidfd_send_signal",
    "pipe", "pipe2", "pkey_alloc", "pkey_free", "pkey_mprotect", "poll", "ppoll", "ppoll_time64", "prctl",
    "pread64", "preadv", "preadv2", "prlimit64", "process_mrelease", "process_vm_readv", "process_vm_writev",
    "pselect6", "pselect6_time64", "ptrace", "pwrite64", "pwritev", "pwritev2", "read", "readahead",
    "readdir", "readlink", "readlinkat", "readv", "recv", "recvfrom", "recvmmsg", "recvmmsg_time64",
    "recvmsg", "remap_file_pages", "removexattr", "removexattrat", "rename", "renameat", "renameat2",
    "restart_syscall", "rmdir", "rseq", "rt_sigaction", "rt_sigpending", "rt_sigprocmask", "rt_sigqueueinfo",
    "rt_sigreturn", "rt_sigsuspend", "rt_sigtimedwait", "rt_sigtimedwait_time64", "rt_tgsigqueueinfo",
    "sched_get_priority_max", "sched_get_priority_min", "sched_getaffinity", "sched_getattr",
    "sched_getparam", "sched_getscheduler", "sched_rr_get_interval", "sched_rr_get_interval_time64",
    "sched_setaffinity", "sched_setattr", "sched_setparam", "sched_setscheduler", "sched_yield", "seccomp",
    "select", "semctl", "semget", "semop", "semtimedop", "semtimedop_time64", "send", "sendfile",
    "sendfile64", "sendmmsg", "sendmsg", "sendto", "set_robust_list", "set_thread_area", "set_tid_address",
    "setfsgid", "setfsgid32", "setfsuid", "setfsuid32", "setgid", "setgid32", "setgroups", "setgroups32",
    "setitimer", "setpgid", "setpriority", "setregid", "setregid32", "setresgid", "setresgid32", "setresuid",
    "setresuid32", "setreuid", "setreuid32", "setrlimit", "setsid", "setsockopt", "setuid", "setuid32",
    "setxattr", "setxattrat", "shmat", "shmctl", "shmdt", "shmget", "shutdown", "sigaction", "sigaltstack",
    "signal", "signalfd", "signalfd4", "sigpending", "sigprocmask", "sigreturn", "sigsuspend", "socketcall",
    "socketpair", "splice", "stat", "stat64", "statfs", "statfs64", "statmount", "statx", "symlink",
    "symlinkat", "sync", "sync_file_range", "syncfs", "sysinfo", "tee", "tgkill", "time", "timer_create",
    "timer_delete", "timer_getoverrun", "timer_gettime", "timer_gettime64", "timer_settime",
    "timer_settime64", "timerfd_create", "timerfd_gettime", "timerfd_gettime64", "timerfd_settime",
    "timerfd_settime64", "times", "tkill", "truncate", "truncate64", "ugetrlimit", "umask", "uname", "unlink",
    "unlinkat", "utime", "utimensat", "utimensat_time64", "utimes", "vfork", "vmsplice", "wait4", "waitid",
    "waitpid", "write", "writev"
    // clang-format on
});

constexpr auto bpf = std::to_array<std::string_view>({"bpf"});
constexpr auto dac_read_search = std::to_array<std::string_view>({"open_by_handle_at"});
constexpr auto perfmon = std::to_array<std::string_view>({"perf_event_open"});
constexpr auto sys_admin = std::to_array<std::string_view>(
    {"bpf",         "clone",           "clone3",         "fanotify_init", "fsconfig",      "fsmount",
     "fsopen",      "fspick",          "lookup_dcookie", "mount",         "mount_setattr", "move_mount",
     "open_tree",   "perf_event_open", "pivot_root",     "quotactl",      "quotactl_fd",   "setdomainname",
     "sethostname", "setns",           "syslog",         "umount",        "umount2",       "unshare"});
constexpr auto sys_boot = std::to_array<std::string_view>({"reboot"});
constexpr auto sys_chroot = std::to_array<std::string_view>({"chroot"});
constexpr auto sys_module = std::to_array<std::string_view>({"delete_module", "finit_module", "init_module"});
constexpr auto sys_nice =
    std::to_array<std::string_view>({"get_mempolicy", "mbind", "set_mempolicy", "set_mempolicy_home_node"});
constexpr auto sys_pacct = std::to_array<std::string_view>({"acct"});
constexpr auto sys_ptrace = std::to_array<std::string_view>({"kcmp", "pidfd_getfd", "process_madvise"});
constexpr auto sys_rawio = std::to_array<std::string_view>({"ioperm", "iopl"});
constexpr auto sys_time =
    std::to_array<std::string_view>({"clock_settime", "clock_settime64", "settimeofday", "stime"});
constexpr auto sys_tty_config = std::to_array<std::string_view>({"vhangup"});
constexpr auto syslog = std::to_array<std::string_view>({"syslog"});

constexpr auto privileged = std::to_array<PrivilegedCalls>({{"CAP_BPF", bpf},
                                                            {"CAP_DAC_READ_SEARCH", dac_read_search},
                                                            {"CAP_PERFMON", perfmon},
                                                            {"CAP_SYS_ADMIN", sys_admin},
                                                            {"CAP_SYS_BOOT", sys_boot},
                                                            {"CAP_SYS_CHROOT", sys_chroot},
                                                            {"CAP_SYS_MODULE", sys_module},
                                                            {"CAP_SYS_NICE", sys_nice},
                                                            {"CAP_SYS_PACCT", sys_pacct},
                                                            {"CAP_SYS_PTRACE", sys_ptrace},
                                                            {"CAP_SYS_RAWIO", sys_rawio},
                                                            {"CAP_SYS_TIME", sys_time},
                                                            {"CAP_SYS_TTY_CONFIG", sys_tty_config},
                                                            {"CAP_SYSLOG", syslog}});

}  // namespace

std::span<const std::string_view> allowed_calls() {
    return allowed;
}

std::span<const PrivilegedCalls> privileged_calls() {
    return privileged;
}

}  // namespace shorewatch::ctl
