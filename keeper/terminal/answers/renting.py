"""What commands answer about a renter's cluster: what runs on it, files, other tools' tasks."""

from __future__ import annotations

from typing_extensions import TypedDict

from keeper.terminal.answers.kinds import Address, Count, Time, Words


class JobStarted(TypedDict):
    """A job that a cluster has taken."""

    order: Address
    job: str
    """Its name."""


class ClusterJob(TypedDict):
    """A job as a cluster's head has it; the head is on the device of a stranger."""

    job: str
    """Its name; empty of what a program began by itself."""
    state: str
    """PENDING, RUNNING, STOPPED, SUCCEEDED or FAILED."""
    command: Words
    message: Words
    """What the head says of it."""
    started: Time
    ended: Time
    exit_code: int | None
    """Of its command; none while it runs."""


class ClusterJobs(TypedDict):
    """A cluster's jobs, the newest first."""

    order: Address
    jobs: list[ClusterJob]


class JobLogs(TypedDict):
    """What a job has printed."""

    order: Address
    job: str
    state: str
    logs: Words


class JobStopped(TypedDict):
    """A job that was told to end."""

    order: Address
    job: str
    stopped: bool
    """Whether it ran."""


class FilesMoved(TypedDict):
    """Files that were sent to a node, or taken from it."""

    order: Address
    files: Count
    bytes: Count


class WayOut(TypedDict):
    """Where a node's supplier lets a renter's code out to, and what of the lease's bytes is used."""

    allowed: list[str]
    """Names of hosts; ``*.`` before one stands for all below it."""
    limit: Count
    """Bytes, as are the next two."""
    sent: Count
    received: Count
    connections: Count
    refused: Count


class NodeFigures(TypedDict):
    """What a node's Ray tells of it; bytes, and 0 for what it doesn't tell."""

    address: str
    """In the cluster."""
    wrong: Words
    """Why there are no figures; empty where there are."""
    cpu_percent: float
    """Of the whole machine's processors, which does other work, too, as with memory and disk."""
    cpus: Count
    memory_used: Count
    memory_total: Count
    objects_used: Count
    """Of the store of objects."""
    objects_free: Count
    disk_free: Count
    way_out: WayOut | None
    """None without one: it wasn't asked for, or its supplier has no list."""


class ClusterFigures(TypedDict):
    """A cluster's figures, the head's first."""

    order: Address
    nodes: list[NodeFigures]


class FileFinding(TypedDict):
    """A key of another tool's file that isn't taken."""

    line: Count
    """0 for what the whole file lacks."""
    key: Words
    why: Words


class Translated(TypedDict):
    """Another tool's file of a task."""

    file: str
    format: Words
    commands: list[str]
    """For a shell, in this order; ``ORDER`` is what the first one prints. None where keys are refused."""
    aside: list[FileFinding]
    """What changes nothing here."""
    refused: list[FileFinding]
    """What has an effect there and would have none here: the exit code is 1."""
