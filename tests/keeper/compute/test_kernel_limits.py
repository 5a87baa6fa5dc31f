"""What the kernel itself holds a sandbox to, in a kernel that hands cgroups of version 2 to a worker's user.

Machines of tests hand none to anybody. So the test boots one that does: Linux as a program of Debian's
package user-mode-linux, with this machine's files to be read, real cgroups, namespaces, bubblewrap and
WireGuard in it.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from keeper.compute.cgroups import KERNEL
from tests.keeper.compute.sandboxing import LIMITS, MIB, give_up

LINUX = "linux.uml"
MODULES = Path("/usr/lib/uml/modules")
USER = 61_234
BOOT_SECONDS = 600
ROOT = Path(__file__).parents[3]
INIT = """#!/bin/sh
export PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/tmp PYTHONDONTWRITEBYTECODE=1
mount -t proc proc /proc
mount -t sysfs sys /sys
for each in /tmp /var/tmp /run; do mount -t tmpfs -o mode=1777 none $each; done
mkdir -p /dev/shm && mount -t tmpfs -o mode=1777 none /dev/shm
mount -t cgroup2 none /sys/fs/cgroup
ln -s /proc/self/fd /dev/fd && ln -s /proc/self/fd/0 /dev/stdin
ip link set lo up
# Where Python is installed in a folder of root's, the worker's user sees that part of it alone.
mkdir /run/python && mount --bind {prefix} /run/python
if [ "{top}" = /root ]; then
	mount -t tmpfs -o mode=755 none /root
	mkdir -p {prefix} && mount --bind /run/python {prefix}
fi
cd {root}
{python} -m tests.keeper.compute.limited {user} {module}
echo o > /proc/sysrq-trigger
sleep 60
"""


def boot() -> dict[str, object]:
    """What :mod:`tests.keeper.compute.limited` finds there."""
    linux = shutil.which(LINUX)
    module = next(MODULES.glob("*/kernel/drivers/net/tun.ko"), None)
    if linux is None or module is None:
        give_up("there is no kernel that hands out cgroups: apt-get install user-mode-linux")
    with tempfile.TemporaryDirectory(dir="/var/tmp", prefix="ionet-test-") as name:
        init = Path(name) / "init"
        prefix = Path(sys.base_prefix)
        init.write_text(
            INIT.format(
                prefix=prefix,
                top=Path(*prefix.parts[:2]),
                root=ROOT,
                python=sys.executable,
                user=USER,
                module=module,
            )
        )
        init.chmod(0o755)
        options = ["mem=2G", "rootfstype=hostfs", "rootflags=/", "ro", f"init={init}", "con=null"]
        console = ["con0=fd:0,fd:1", "quiet"]
        done = subprocess.run(
            [linux, *options, *console],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=BOOT_SECONDS,
            check=False,
            errors="replace",
            cwd=name,
        )
    said = [line for line in done.stdout.splitlines() if line.startswith("{")]
    assert said, done.stdout[-8_000:]
    return dict(json.loads(said[-1]))


def test_the_kernel_limits_a_sandbox_where_it_hands_out_cgroups() -> None:
    found = boot()
    assert found["user"] == USER
    assert found["parent"] == "/sys/fs/cgroup/user.slice/ionet-worker.service"
    assert found["lacks"] == "None", "and a lease is accepted there without IONET_UNCONFINED"
    most = LIMITS.memory + LIMITS.shared + LIMITS.scratch + KERNEL
    assert found["bounds"] == {"memory.max": str(most), "pids.max": "240", "cpu.weight": "20"}
    # Eight of a renter's processes and one of the worker's want all of the one processor that is there.
    usec = found["usec"]
    assert isinstance(usec, dict)
    share = usec["worker"] / (usec["worker"] + usec["renter"])
    assert 0.75 < share < 0.92, "five sixths; by nice alone eight have nearly half of it"
    assert isinstance(found["processes"], int) and found["processes"] >= 9, "the renter's are in it"
    assert found["left"] == [] == found["left_later"]
    # What the kernel keeps for a renter's sockets no look at processes finds: the kernel ended all of it.
    events, peak = found["events"], found["peak"]
    assert isinstance(events, dict) and isinstance(peak, int)
    assert events["oom_group_kill"] == 1 and events["max"] > 0
    assert most - MIB < peak < most + MIB, "the kernel takes a page or two for itself before it ends anything"
