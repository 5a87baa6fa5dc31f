# ruff: noqa: PTH104, PTH110, PTH115, PTH208, PLW1510
"""What a renter's code tries inside a sandbox. Run there, by the standard library alone: each function is an
attack and returns what came of it, in a word; the last line makes a file of all of them.

``/data/targets.json`` says where on the machine something is to be found.
"""

from __future__ import annotations

import ctypes
import errno
import fcntl
import json
import os
import resource
import signal
import socket
import subprocess
from pathlib import Path

T = json.loads(Path("/data/targets.json").read_text()) if Path("/data/targets.json").exists() else {}
LIBC = ctypes.CDLL(None, use_errno=True)


def connect(address, family=socket.AF_INET, kind=socket.SOCK_STREAM):
    with socket.socket(family, kind) as made:
        made.settimeout(2)
        made.connect(address)
    return "reached"


def written(path):
    Path(path).write_text("x")
    return "written"


# -- files -----------------------------------------------------------------------------------


def read_the_agents_key():
    return Path(T["key"]).read_text()


def read_the_agents_key_by_proc():
    return Path(f"/proc/1/root{T['key']}").read_text()


def read_the_machines_passwords():
    return Path("/etc/shadow").read_text()


def see_root_folder():
    return sorted(os.listdir("/"))


def see_etc():
    return sorted(os.listdir("/etc"))


def see_local_programs():
    return sorted(os.listdir("/usr/local"))


def see_devices():
    return sorted(os.listdir("/dev"))


def write_programs():
    return written("/usr/bin/evil")


def write_etc():
    return written("/etc/hosts")


def write_root():
    return written("/evil")


def write_devices():
    return written("/dev/evil")


def write_local():
    return written("/usr/local/evil")


def make_a_disk_device():
    os.mknod("/data/disk", 0o60666, os.makedev(254, 0))
    return "made"


def link_a_program():
    os.link("/usr/bin/env", "/data/env")
    return "linked"


def fill(path):
    written_bytes = 0
    try:
        with Path(path).open("wb") as file:
            while True:
                written_bytes += file.write(b"x" * 65_536)
                file.flush()
    except OSError as error:
        Path(path).unlink()
        return f"{errno.errorcode[error.errno]} below {1 << (written_bytes - 1).bit_length() >> 20} MiB"


def fill_tmp():
    return fill("/tmp/big")


def fill_shared_memory():
    return fill("/dev/shm/big")


def make_too_large_a_file():
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    Path("/data/sparse").touch()
    os.truncate("/data/sparse", 65 << 20)
    return "made"


# -- processes and the machine ---------------------------------------------------------------------


def see_processes():
    commands = {}
    for each in sorted(Path("/proc").iterdir()):
        if each.name.isdigit():
            commands[each.name] = (each / "comm").read_text().strip()
    return sorted(set(commands.values()))


def see_open_files():
    here = [os.readlink(f"/proc/self/fd/{n}") for n in range(64) if os.path.exists(f"/proc/self/fd/{n}")]
    return sorted({each.split(":")[0] for each in here})


def see_files_of_the_first_process():
    names = os.listdir("/proc/1/fd")
    return sorted({os.readlink(f"/proc/1/fd/{n}").split(":")[0] for n in names})


def see_the_first_process_environment():
    return Path("/proc/1/environ").read_bytes().decode()


def see_environment():
    return sorted(os.environ)


def see_sys():
    return os.listdir("/sys")


def kernel_addresses():
    lines = Path("/proc/kallsyms").read_text().splitlines()
    return sorted({line.split()[0].strip("0") for line in lines[:1000]})


def shut(path, flags):
    """Not to be opened, or not there: kernels are built with and without such files."""
    try:
        os.open(path, flags)
    except (PermissionError, FileNotFoundError):
        return "shut"
    return "open"


def read_memory_of_the_machine():
    return shut("/proc/kcore", os.O_RDONLY)


def set_the_crash_program():
    return written("/proc/sys/kernel/core_pattern")


def be_spared_when_memory_runs_out():
    return written("/proc/self/oom_score_adj")


def press_sysrq():
    return shut("/proc/sysrq-trigger", os.O_WRONLY)


def have_cores_dumped():
    found = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    return f"set, was {found}"


def see_limits_of_cores():
    return list(resource.getrlimit(resource.RLIMIT_CORE))


def more_processes():
    resource.setrlimit(resource.RLIMIT_NPROC, (100_000, 100_000))
    return "set"


def status(name):
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(line.split(":")[1].strip() for line in lines if line.startswith(name + ":"))


def see_privileges():
    return [status(each) for each in ("CapEff", "CapPrm", "CapBnd", "CapAmb", "NoNewPrivs", "Seccomp")]


def become_root_by_a_program():
    done = subprocess.run(
        ["/bin/su", "-c", "id -u"], capture_output=True, text=True, stdin=subprocess.DEVNULL
    )
    return "root" if done.stdout.strip() == b"0" else "refused"


def new_user_namespace_by_a_program():
    done = subprocess.run(["/usr/bin/unshare", "-U", "true"], capture_output=True, text=True)
    return "made" if done.returncode == 0 else "refused"


def new_namespace_by_clone():
    flags = 0x10000000 | 17  # CLONE_NEWUSER, SIGCHLD
    if LIBC.syscall(T["clone"], flags, 0, 0, 0, 0) == -1:
        raise OSError(ctypes.get_errno(), "clone")
    return "made"


# -- terminals ---------------------------------------------------------------------------------


def type_into_a_terminal():
    _, child = os.openpty()
    fcntl.ioctl(child, 0x5412, b"x")
    return "typed"


def type_with_high_bits():
    _, child = os.openpty()
    if LIBC.syscall(T["ioctl"], child, ctypes.c_ulong((1 << 32) | 0x5412), b"x") == -1:
        raise OSError(ctypes.get_errno(), "ioctl")
    return "typed"


def paste_into_a_terminal():
    _, child = os.openpty()
    fcntl.ioctl(child, 0x541C, b"x")
    return "pasted"


def open_the_agents_terminal():
    os.open("/dev/tty", os.O_RDWR)
    return "opened"


# -- networks -------------------------------------------------------------------------------------


def see_interfaces():
    return sorted(name for _, name in socket.if_nameindex())


def reach_the_machines_loopback():
    return connect(("127.0.0.1", T["port"]))


def reach_the_machines_loopback_by_ipv6():
    return connect(("::1", T["port6"]), socket.AF_INET6)


def reach_the_machines_abstract_socket():
    return connect("\0" + T["abstract"], socket.AF_UNIX)


def reach_the_lan():
    return connect(("192.168.1.1", 80))


def reach_the_internet():
    return connect(("1.1.1.1", 443))


def reach_the_internet_by_ipv6():
    return connect(("2606:4700:4700::1111", 443), socket.AF_INET6)


def reach_a_clouds_credentials():
    return connect(("169.254.169.254", 80))


def send_a_datagram_out():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as made:
        made.sendto(b"x", ("8.8.8.8", 53))
    return "sent"


def ask_for_a_name():
    socket.getaddrinfo("example.com", 80)
    return "found"


def reach_another_cluster():
    """The same address is another sandbox's, too, where something listens."""
    return connect((T["address"], T["other_port"]))


def change_the_interface():
    done = subprocess.run(["/usr/sbin/ip", "route", "add", "default", "dev", "wg0"], capture_output=True)
    return "changed" if done.returncode == 0 else "refused"


def read_wireguards_key():
    done = subprocess.run(["/usr/bin/wg", "show", "wg0", "private-key"], capture_output=True)
    return "read" if done.returncode == 0 and done.stdout.strip() else "refused"


def take_wireguards_port():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as made:
        made.bind(("127.0.0.1", 51_820))
    return "taken"


def packets():
    socket.socket(17, socket.SOCK_RAW, 3)
    return "made"


def raw_packets():
    socket.socket(socket.AF_INET, socket.SOCK_RAW, 255)
    return "made"


def netfilter():
    socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 12)
    return "made"


def generic_netlink():
    socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 16)
    return "made"


def the_hypervisor():
    socket.socket(40, socket.SOCK_STREAM)
    return "made"


def the_kernels_ciphers():
    socket.socket(38, socket.SOCK_SEQPACKET)
    return "made"


def sctp():
    socket.socket(socket.AF_INET, socket.SOCK_STREAM, 132)
    return "made"


def bluetooth():
    socket.socket(31, socket.SOCK_RAW, 1)
    return "made"


def call(number):
    """A system call whose arguments mean nothing: it is there, or it isn't."""
    if LIBC.syscall(number, -1, 0, 0, 0, 0, 0) == -1:
        raise OSError(ctypes.get_errno(), "")
    return "there"


def outcome(attack, *arguments):
    try:
        return attack(*arguments)
    except socket.gaierror:
        return "no name"
    except TimeoutError:
        return "nothing came"
    except OSError as error:
        return errno.errorcode[error.errno]
    except ValueError as error:  # What Python makes of setrlimit's EPERM.
        return str(error)


HELPERS = {"connect", "written", "fill", "shut", "status", "call", "outcome"}
if __name__ == "__main__":
    found = {
        name: outcome(made)
        for name, made in list(globals().items())
        if callable(made) and name not in HELPERS and getattr(made, "__module__", "") == "__main__"
    }
    found |= {name: outcome(call, number) for name, number in T["calls"].items()}
    Path("/data/found.part").write_text(json.dumps(found))
    os.rename("/data/found.part", "/data/found.json")
