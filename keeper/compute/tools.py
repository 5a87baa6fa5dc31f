"""What a machine has to have for sandboxes, and what to do about each thing that it hasn't."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

from keeper.compute import seccomp
from keeper.compute.namespace import PATH

TUN = Path("/dev/net/tun")
APPARMOR = Path("/proc/sys/kernel/apparmor_restrict_unprivileged_userns")
PACKAGES = {
    "unshare": "util-linux",
    "ip": "iproute2",
    "bwrap": "bubblewrap",
    "wg": "wireguard-tools",
    "du": "coreutils",
}
"""The programs, by Debian's packages."""
SPACES = ("unshare", "--user", "--map-root-user", "--net", "--mount", "--pid", "--fork", "--mount-proc")
TRY_SECONDS = 20.0


class Lack(NamedTuple):
    """Something that isn't there, and what to do."""

    what: str
    do: str


def lacking(user: int | None = None) -> list[Lack]:
    """All that a sandbox would lack here; nothing where one can be made. Changes nothing.

    ``user`` is who would make it, by number, where this is root; without one, root itself is refused.
    """
    if sys.platform != "linux":
        return [
            Lack("sandboxes are Linux's", "on Windows run the worker in WSL2, on macOS in a Linux machine")
        ]
    if os.geteuid() == 0 and not user:
        return [Lack("this is root, whom limits don't hold for", "run the worker as a user of its own")]
    found = [
        Lack(f"{tool} isn't installed", f"apt-get install {package}")
        for tool, package in PACKAGES.items()
        if shutil.which(tool, path=PATH) is None
    ]
    try:
        with tempfile.TemporaryFile() as one, tempfile.TemporaryFile() as other:
            seccomp.write(one, other)
    except seccomp.SeccompMissing as error:
        found.append(Lack("libseccomp isn't there", str(error).partition(": ")[2]))
    return found or _spaces(user)


def _spaces(user: int | None) -> list[Lack]:
    """What the kernel lacks, or keeps from this user."""
    if said := _tried(user, *SPACES, "true"):
        do = "sysctl -w kernel.unprivileged_userns_clone=1, and user.max_user_namespaces above 0"
        if APPARMOR.exists() and APPARMOR.read_text().strip() == "1":
            do = "AppArmor keeps them from users: give unshare and bwrap a profile that has 'userns,'"
        return [Lack(f"no namespaces for this user: {said}", do)]
    walls = ("bwrap", "--unshare-user", "--disable-userns", "--unshare-pid", "--ro-bind", "/", "/", "--proc")
    if said := _tried(user, *SPACES, *walls, "/proc", "true"):
        return [
            Lack(f"bubblewrap makes no sandbox: {said}", "it takes bubblewrap 0.8 or later, of Debian 12")
        ]
    if not _tried(user, *SPACES, "ip", "link", "add", "wg0", "type", "wireguard"):
        return []
    if shutil.which("wireguard-go", path=PATH) is None:
        return [Lack("the kernel has no WireGuard, nor is there another", "apt-get install wireguard-go")]
    if said := _tried(user, *SPACES, "sh", "-c", f"exec 3<>{TUN}"):
        return [Lack(f"{TUN} is kept from this user", f"chmod 666 {TUN}, as it is on most machines")]
    return []


def _tried(user: int | None, *command: str) -> str:
    """What a command says that fails; nothing where it does well."""
    try:
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            check=False,
            timeout=TRY_SECONDS,
            env={"PATH": PATH},
            cwd="/",
            user=user,
            group=user,
            extra_groups=[] if user else None,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    said = (done.stderr.strip().splitlines() or [f"it ended with {done.returncode}"])[-1]
    return said if done.returncode else ""
