"""Which system calls a renter's code has: a list of those allowed; all others aren't there (ENOSYS).

A kernel's holes are in calls that few programs need: so whatever isn't named is missing, also what a later
kernel adds. Programs are used to older kernels, and go on without. libseccomp makes the two filters, in the
form that bubblewrap loads; of filters in a row the kernel takes the strictest answer.
"""

from __future__ import annotations

import errno
import socket
from typing import IO

from keeper.errors import UserError

ALLOWED = """
accept accept4 access alarm arch_prctl bind brk capget chdir chmod chown clock_getres clock_gettime
clock_nanosleep close close_range connect copy_file_range creat dup dup2 dup3 epoll_create epoll_create1
epoll_ctl epoll_pwait epoll_pwait2 epoll_wait eventfd eventfd2 execve execveat exit exit_group faccessat
faccessat2 fadvise64 fallocate fchdir fchmod fchmodat fchmodat2 fchown fchownat fcntl fdatasync fgetxattr
flistxattr flock fork fsetxattr fstat fstatfs fsync ftruncate futex futex_waitv futex_wake futex_wait
futex_requeue futimesat get_mempolicy get_robust_list get_thread_area getcpu getcwd getdents getdents64
getegid geteuid getgid getgroups getitimer getpeername getpgid getpgrp getpid getppid getpriority getrandom
getresgid getresuid getrlimit getrusage getsid getsockname getsockopt gettid gettimeofday getuid getxattr
inotify_add_watch inotify_init inotify_init1 inotify_rm_watch ioctl ioprio_get kill lchown lgetxattr link
linkat listen listxattr llistxattr lseek lstat madvise mbind membarrier mincore mkdir mkdirat
mknod mknodat mlock mlock2 mlockall mmap mprotect mremap msgctl msgget msgrcv msgsnd msync munlock munlockall
munmap nanosleep newfstatat open openat openat2 pause pidfd_open pidfd_send_signal pipe pipe2 pkey_alloc
pkey_free pkey_mprotect poll ppoll prctl pread64 preadv preadv2 prlimit64 pselect6 pwrite64 pwritev pwritev2
read readahead readlink readlinkat readv recvfrom recvmmsg recvmsg rename renameat renameat2 restart_syscall
rmdir rseq rt_sigaction rt_sigpending rt_sigprocmask rt_sigqueueinfo rt_sigreturn rt_sigsuspend
rt_sigtimedwait rt_tgsigqueueinfo sched_get_priority_max sched_get_priority_min sched_getaffinity
sched_getattr sched_getparam sched_getscheduler sched_rr_get_interval sched_setaffinity sched_setattr
sched_setparam sched_setscheduler sched_yield select semctl semget semop semtimedop sendfile sendmmsg sendmsg
sendto set_mempolicy set_robust_list set_thread_area set_tid_address setitimer setpgid setpriority setrlimit
setsid setsockopt shutdown sigaltstack signalfd signalfd4 splice stat statfs statx
symlink symlinkat sync_file_range sysinfo tee tgkill time timer_create timer_delete timer_getoverrun
timer_gettime timer_settime timerfd_create timerfd_gettime timerfd_settime times tkill truncate umask uname
unlink unlinkat utime utimensat utimes vfork vmsplice wait4 waitid write writev
"""
"""By name, as libseccomp knows them; one that it doesn't know on this machine stays missing.

Not among them, and why: ptrace, process_vm_*, pidfd_getfd, kcmp (others' memory); mount's family, chroot,
pivot_root, setns, unshare (other namespaces); keyctl's family (the kernel's keys aren't in a namespace);
bpf, perf_event_open, userfaultfd, io_uring, io_setup, fanotify, modify_ldt, vm86, memfd_secret (where holes
were found); memfd_create, shmget (memory that no process has mapped, and so nobody counts);
name_to_handle_at and open_by_handle_at (files by number); personality, syslog, acct, swapon, quotactl,
reboot, kexec, modules and clocks (the machine's own).
"""
_NEW_NAMESPACES = 0x7E020000
"""clone's flags for cgroup, uts, ipc, user, pid, net and mount namespaces."""
_TYPE = 0xF
"""A socket's type without its flags."""
_TCP, _UDP = 6, 17
_CORE = 4
"""RLIMIT_CORE: it is 1, at which the kernel runs no program of the machine's for a crash; at 0 it does."""
_TIOCSTI, _TIOCLINUX = 0x5412, 0x541C
"""Type into, and paste into, somebody else's terminal."""
_NOBODY_ELSE = 0xFFFFFFFF


class SeccompMissing(UserError):
    """No filter can be made here: without one no renter's code is run."""


def write(allowed: IO[bytes], refused: IO[bytes]) -> None:
    """Write the two filters, for bubblewrap to load in this order; raises SeccompMissing."""
    try:
        import pyseccomp as s  # noqa: PLC0415 - of the extra, and loads a library
    except (ImportError, RuntimeError, OSError) as error:
        raise SeccompMissing(
            "libseccomp isn't there: apt-get install libseccomp2, and pip install 'ionet[compute]'"
        ) from error
    missing = s.ERRNO(errno.ENOSYS)
    first = s.SyscallFilter(missing)
    for name in ALLOWED.split():
        if s.resolve_syscall(s.Arch.NATIVE, name) != -1:  # Of a kernel that this libseccomp doesn't know.
            first.add_rule(s.ALLOW, name)
    # clone3's flags lie in memory, where no filter sees them; the C library then calls clone.
    first.add_rule(s.ALLOW, "clone", s.Arg(0, s.MASKED_EQ, _NEW_NAMESPACES, 0))
    first.add_rule(s.ALLOW, "socketpair", s.Arg(0, s.EQ, socket.AF_UNIX))
    first.add_rule(s.ALLOW, "socket", s.Arg(0, s.EQ, socket.AF_UNIX))
    # The interfaces' addresses, which C libraries ask for; no other netlink.
    first.add_rule(s.ALLOW, "socket", s.Arg(0, s.EQ, socket.AF_NETLINK), s.Arg(2, s.EQ, 0))
    for family in (socket.AF_INET, socket.AF_INET6):
        for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
            for protocol in (0, _TCP, _UDP):  # Others load modules of the kernel that few look at.
                args = (s.Arg(1, s.MASKED_EQ, _TYPE, kind), s.Arg(2, s.EQ, protocol))
                first.add_rule(s.ALLOW, "socket", s.Arg(0, s.EQ, family), *args)
    second = s.SyscallFilter(s.ALLOW)
    never = s.ERRNO(errno.EPERM)
    for request in (_TIOCSTI, _TIOCLINUX):
        second.add_rule(never, "ioctl", s.Arg(1, s.MASKED_EQ, _NOBODY_ELSE, request))
    second.add_rule(never, "setrlimit", s.Arg(0, s.MASKED_EQ, _NOBODY_ELSE, _CORE))
    second.add_rule(never, "prlimit64", s.Arg(1, s.MASKED_EQ, _NOBODY_ELSE, _CORE), s.Arg(2, s.NE, 0))
    first.export_bpf(allowed)
    second.export_bpf(refused)
