"""Ray's jobs, by its REST API and nothing of Ray's: what a head answers is bounded, and of a known shape.

A head runs on a stranger's device, so whatever it says may be made to harm: answers have a size, a time and a
shape, and a job's name is one of ours before it is part of a path.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Annotated, Any, TypeVar

import httpx2 as httpx
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from keeper.chain.http import PLAIN
from keeper.errors import UserError, unfit, why
from keeper.renter.packing import Package

T = TypeVar("T")
SECONDS = 30.0
UPLOAD_SECONDS = 1_800.0
"""For a package over a slow line: 90 MiB at 0.4 Mbit/s."""
MOST_BYTES = 16 << 20
"""Of an answer; a log is one."""
MOST_JOBS = 10_000
MOST_ENTRYPOINT = 32_768
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}")
POLL_SECONDS = 1.0
NO_VARIABLES: Mapping[str, str] = {}


class HeadError(UserError):
    """A head that doesn't answer, or with what makes no sense."""


class TokenRefused(HeadError):
    """A head that doesn't know our token: it has another one since."""


class JobUnknown(UserError):
    """A job that the cluster doesn't have."""


class JobRefused(UserError):
    """What the head doesn't take, with its reason."""


class State(StrEnum):
    """Where a job is."""

    PENDING = "PENDING"
    RUNNING = "RUNNING"
    STOPPED = "STOPPED"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"

    @property
    def is_over(self) -> bool:
        """Whether nothing of it runs any more."""
        return self not in (State.PENDING, State.RUNNING)


class Job(BaseModel):
    """A job as the head has it; times are unix milliseconds."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    submission_id: Annotated[str, Field(max_length=200)] | None = None
    """Its name; None of what a program began by itself."""
    status: State
    entrypoint: Annotated[str, Field(max_length=1 << 20)]
    message: Annotated[str, Field(max_length=1 << 20)] | None = None
    start_time: Annotated[int, Field(ge=0, lt=1 << 53)] | None = None
    end_time: Annotated[int, Field(ge=0, lt=1 << 53)] | None = None
    driver_exit_code: Annotated[int, Field(ge=-(1 << 31), lt=1 << 31)] | None = None

    @property
    def name(self) -> str:
        """What it is called here; empty where it has no name that can be."""
        return self.submission_id if self.submission_id and NAME.fullmatch(self.submission_id) else ""


class _Submitted(BaseModel):
    submission_id: Annotated[str, Field(max_length=200)]


class _Logs(BaseModel):
    logs: str = ""


class _Stopped(BaseModel):
    stopped: bool


_JOB, _STOPPED, _LOGS = TypeAdapter(Job), TypeAdapter(_Stopped), TypeAdapter(_Logs)
_JOBS = TypeAdapter(Annotated[list[Job], Field(max_length=MOST_JOBS)])
_SUBMITTED = TypeAdapter(_Submitted)


class Jobs:
    """The jobs of one head; every method raises HeadError, TokenRefused."""

    def __init__(self, url: str, token: str) -> None:
        """``url`` is where the head's jobs are forwarded to; ``token`` is in hexadecimal."""
        headers = {**PLAIN, "Authorization": f"Bearer {token}"}
        self._http = httpx.Client(base_url=url, headers=headers, timeout=SECONDS, trust_env=False)

    def close(self) -> None:
        """Let go of its connections."""
        self._http.close()

    def upload(self, package: Package) -> None:
        """Have the head keep a package, unless it does already."""
        path = f"/api/packages/gcs/{package.name}"
        status, _ = self._ask("GET", path)
        if status == httpx.codes.NOT_FOUND:
            status, body = self._ask("PUT", path, content=package.data, seconds=UPLOAD_SECONDS)
            if status != httpx.codes.OK:
                raise HeadError(f"the head doesn't take a package: {_reason(body)}")

    def submit(
        self,
        name: str,
        entrypoint: str,
        *,
        working_dir: Package | None = None,
        wheels: Package | None = None,
        variables: Mapping[str, str] = NO_VARIABLES,
        resources: Mapping[str, float] | None = None,
    ) -> str:
        """Start a shell command on the cluster under a name of its own; raises JobRefused.

        ``resources`` places it, such as ``{"node:10.1.2.3": 0.001}``; without any it runs on the head.
        """
        require_name(name)
        if len(entrypoint.encode()) > MOST_ENTRYPOINT:
            raise JobRefused(f"a command has at most {MOST_ENTRYPOINT} bytes: put it into a script")
        environment: dict[str, Any] = {"env_vars": {"PYTHONUNBUFFERED": "1", **variables}}
        if working_dir is not None:
            self.upload(working_dir)
            environment["working_dir"] = working_dir.uri
        if wheels is not None:
            self.upload(wheels)
            environment["py_modules"] = [wheels.uri]
        said: dict[str, Any] = {"submission_id": name, "entrypoint": entrypoint, "runtime_env": environment}
        if resources:
            said["entrypoint_resources"] = dict(resources)
        status, body = self._ask("POST", "/api/jobs/", json=said)
        if status != httpx.codes.OK:
            raise JobRefused(f"the head doesn't take the job: {_reason(body)}")
        if _parsed(_SUBMITTED, body).submission_id != name:
            raise HeadError("the head answers with another job than was asked for")
        return name

    def list(self) -> list[Job]:
        """All jobs, the newest first."""
        found = _parsed(_JOBS, self._good("/api/jobs/"))
        return sorted(found, key=lambda each: each.start_time or 0, reverse=True)

    def get(self, name: str) -> Job:
        """One job; raises JobUnknown."""
        return _parsed(_JOB, self._of(name, "GET"))

    def logs(self, name: str) -> str:
        """What a job has printed so far; raises JobUnknown."""
        return _parsed(_LOGS, self._of(name, "GET", "/logs")).logs

    def follow(self, name: str, seconds: float = POLL_SECONDS) -> Iterator[str]:
        """What a job prints, piece by piece until it is over; raises JobUnknown.

        Each look takes all of it, so a long one is looked at less often: every further second for each MiB.
        The head may know of the end before its log has the last lines: it is over when nothing came since.
        """
        had, over = 0, False
        while True:
            was_over, over = over, over or self.get(name).status.is_over
            text = self.logs(name)
            if len(text) > had:
                yield text[had:]
                had = len(text)
            elif was_over:
                return
            time.sleep(seconds * (1 + (len(text) >> 20)))

    def wait(self, name: str, seconds: float = POLL_SECONDS) -> Job:
        """A job once it is over; raises JobUnknown."""
        while not (found := self.get(name)).status.is_over:
            time.sleep(seconds)
        return found

    def stop(self, name: str) -> bool:
        """End a job; whether it ran. Raises JobUnknown."""
        return _parsed(_STOPPED, self._of(name, "POST", "/stop")).stopped

    # -- inside ----------------------------------------------------------------------------------

    def _of(self, name: str, method: str, what: str = "") -> bytes:
        require_name(name)
        status, body = self._ask(method, f"/api/jobs/{name}{what}")
        if status == httpx.codes.NOT_FOUND:
            raise JobUnknown(f"the cluster has no job {name}: ionet cluster jobs lists them")
        if status != httpx.codes.OK:
            raise HeadError(f"the head answers {status}: {_reason(body)}")
        return body

    def _good(self, path: str) -> bytes:
        status, body = self._ask("GET", path)
        if status != httpx.codes.OK:
            raise HeadError(f"the head answers {status}: {_reason(body)}")
        return body

    def _ask(self, method: str, path: str, *, seconds: float = SECONDS, **sent: Any) -> tuple[int, bytes]:
        body, ends = bytearray(), time.monotonic() + seconds
        try:
            with self._http.stream(method, path, timeout=seconds, **sent) as answer:
                for piece in answer.iter_raw():
                    body += piece
                    if len(body) > MOST_BYTES:
                        raise HeadError(f"the head answers with more than {MOST_BYTES >> 20} MiB")
                    if time.monotonic() > ends:
                        raise HeadError(f"the head takes more than {seconds:g} seconds for an answer")
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise HeadError(f"the head doesn't answer: {why(error)}") from error
        if answer.status_code in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN):
            raise TokenRefused("the head doesn't know the token: it has begun again, so try again soon")
        return answer.status_code, bytes(body)


def require_name(name: str) -> None:
    """Raise JobUnknown for what is no job's name: it becomes part of a path."""
    if not NAME.fullmatch(name):
        raise JobUnknown(f"{printable(name)!r} is no job's name: letters, digits, - _ and ., 100 at most")


def printable(text: str, most: int = 300) -> str:
    """A stranger's text for one line of a terminal: nothing in it moves the cursor, or has no end."""
    plain = "".join(each if each.isprintable() else " " for each in text[: most + 1])
    return plain if len(text) <= most else plain[:most] + "…"


def _reason(body: bytes) -> str:
    """The last line of what a head says, which of a trace is the error."""
    lines = [each for each in body[-4_096:].decode(errors="replace").splitlines() if each.strip()]
    return printable(lines[-1].strip()) if lines else "it gives no reason"


def _parsed(shape: TypeAdapter[T], body: bytes) -> T:
    try:
        return shape.validate_json(body)
    except ValidationError as error:
        found = error.errors()[0]
        where = ".".join(printable(str(each), 40) for each in found["loc"])
        raise HeadError(f"the head's answer makes no sense: {where or 'it'}: {unfit(found)}") from error
