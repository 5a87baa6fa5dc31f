"""Whose key signs: from a file, from the environment, or held by a command that hands out signatures."""

from __future__ import annotations

import base64
import binascii
import json
import os
import shlex
import signal
import stat
import subprocess
from dataclasses import dataclass
from pathlib import Path

import base58
from solders.keypair import Keypair
from solders.pubkey import Pubkey
from solders.signature import Signature

from keeper.chain import Signer, SigningFailed
from keeper.errors import UserError, why

KEY_LENGTH = 64
"""Bytes of a keypair: the seed, then the address."""


class KeyRefused(UserError):
    """A key that nobody should sign with, or that isn't there; the message says what to do."""


def read_private_keypair(path: Path) -> Keypair:
    """Read a keypair file that nobody but its owner can read; raises KeyRefused."""
    if _may_be_key(str(path)):
        raise KeyRefused(
            "this is not the path of a key file (it isn't repeated, as it may be a key): a key goes into "
            "IONET_KEY, its file into --keypair or IONET_KEYPAIR"
        )
    try:
        path = path.expanduser()
        mode = stat.S_IMODE(path.stat().st_mode)
        text = path.read_text()
    except (OSError, ValueError, RuntimeError) as error:
        raise KeyRefused(
            f"{path}: no keypair, a JSON list of 64 numbers ({why(error)}): name your key's file by "
            "--keypair or IONET_KEYPAIR"
        ) from error
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise KeyRefused(
            f"{path} is open to others (mode {mode:04o}): run chmod 600 {path}; "
            "if somebody else may have read it, make another key and move everything to it"
        )
    try:
        return _keypair(json.loads(text))
    except (ValueError, TypeError, RecursionError) as error:
        raise KeyRefused(f"{path}: no keypair, a JSON list of 64 numbers ({error})") from error


def make_keypair(path: Path) -> Keypair:
    """Write a new key to a file that only its owner can read; raises KeyRefused where there is a file."""
    made = Keypair()
    try:
        write_keypair(path, made)
    except OSError as error:
        raise KeyRefused(
            f"{path}: no key was written ({why(error)}): a key is never overwritten; name another file, or "
            "use that one by IONET_KEYPAIR"
        ) from error
    return made


def write_keypair(path: Path, key: Keypair) -> None:
    """Write a key as Solana's tools do, for its owner alone; raises OSError, where there is a file, too."""
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with open(file, "w") as opened:  # noqa: PTH123 - a file that is open already
        json.dump(list(bytes(key)), opened)
        opened.flush()
        os.fsync(file)


def _may_be_key(text: str) -> bool:
    """Whether what should be a path looks like a key: a list of numbers, or so many characters of base58."""
    bare = Path(text).name
    return bare.startswith("[") or (len(bare) >= KEY_LENGTH and bare.isalnum())


def parse_keypair(text: str) -> Keypair:
    """Read a keypair as wallets export it, a JSON list of 64 numbers or base58; raises KeyRefused.

    What is wrong with it is not repeated: the message may end up in a log.
    """
    try:
        return _keypair(json.loads(text) if text.lstrip().startswith("[") else base58.b58decode(text.strip()))
    except (ValueError, TypeError, RecursionError):
        raise KeyRefused("IONET_KEY: no keypair, a JSON list of 64 numbers or 64 bytes in base58") from None


def _keypair(values: object) -> Keypair:
    if not isinstance(values, list | bytes) or len(values) != KEY_LENGTH:
        raise ValueError(f"not {KEY_LENGTH} bytes")
    return Keypair.from_bytes(bytes(values))


@dataclass(frozen=True, slots=True)
class CommandSigner:
    """Signs by a command: it gets the message on stdin and answers with the signature, both base64.

    It runs without a shell, once per signature, for ``seconds`` at most. A signature is checked against
    the address before it is used, so that the command can withhold one, but not falsify it.
    """

    command: str
    address: Pubkey
    seconds: float

    def pubkey(self) -> Pubkey:
        """See :class:`~keeper.chain.Signer`."""
        return self.address

    def sign_message(self, message: bytes) -> Signature:
        """See :class:`~keeper.chain.Signer`."""
        answer = self._ask(base64.b64encode(message) + b"\n")
        try:
            signature = Signature(base64.b64decode(answer.strip(), validate=True))
        except (binascii.Error, ValueError) as error:
            raise SigningFailed(
                f"the signer command's answer is not a signature in base64: {error}"
            ) from error
        if not signature.verify(self.address, message):
            raise SigningFailed(
                f"the signer command's signature is not {self.address}'s: is IONET_SIGNER_ADDRESS right?"
            )
        return signature

    def _ask(self, question: bytes) -> bytes:
        pipe = subprocess.PIPE
        try:
            # A session of its own: this terminal's Ctrl-C is not for it, and it ends with all it started.
            process = subprocess.Popen(
                shlex.split(self.command), stdin=pipe, stdout=pipe, stderr=pipe, start_new_session=True
            )
        except OSError as error:
            raise SigningFailed(f"the signer command can't be run: {why(error)}") from error
        with process:
            try:
                answer, complaint = process.communicate(question, self.seconds)
            except subprocess.TimeoutExpired as error:
                os.killpg(process.pid, signal.SIGKILL)
                raise SigningFailed(f"the signer command took more than {self.seconds:g} seconds") from error
        if process.returncode:
            last = complaint.decode(errors="replace").strip().splitlines()[-1:]
            raise SigningFailed(
                f"the signer command ended with {process.returncode}: {''.join(last) or 'it said nothing'}"
            )
        return answer


def choose_signer(
    *, keypair: Path, key: str | None, command: str | None, address: str | None, seconds: float
) -> Signer:
    """Take the signer command if there is one, else the key itself, else the file; raises KeyRefused."""
    if command:
        try:
            words = shlex.split(command)
        except ValueError as error:
            raise KeyRefused(f"IONET_SIGNER_COMMAND can't be read: {error}") from error
        if not words:
            raise KeyRefused("IONET_SIGNER_COMMAND names no command")
        try:
            return CommandSigner(command, Pubkey.from_string(address or ""), seconds)
        except ValueError as error:
            raise KeyRefused(
                "IONET_SIGNER_COMMAND needs the address that it signs for, in IONET_SIGNER_ADDRESS"
            ) from error
    return parse_keypair(key) if key else read_private_keypair(keypair)
