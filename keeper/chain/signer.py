"""Who signs: a keypair in this process, or something elsewhere that hands out signatures."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Protocol

from solders.keypair import Keypair
from solders.message import MessageV0, to_bytes_versioned
from solders.null_signer import NullSigner
from solders.presigner import Presigner
from solders.pubkey import Pubkey
from solders.signature import Signature
from solders.transaction import VersionedTransaction

from keeper.chain.errors import ChainError


class SigningFailed(ChainError):
    """A signer gave no signature, or none that is valid: nothing was sent."""


class Signer(Protocol):
    """Whoever can sign for an address; ``Keypair`` is one."""

    def pubkey(self) -> Pubkey:
        """The address that it signs for."""
        ...

    def sign_message(self, message: bytes) -> Signature:
        """Sign; may take a while. Raises SigningFailed."""
        ...


def sign(message: MessageV0, signers: Sequence[Signer]) -> VersionedTransaction:
    """Sign a transaction; raises SigningFailed, or solders' SignerError for a missing or an extra signer.

    A signer that is named twice is asked once. A ``NullSigner`` leaves its signature out, which only a chain
    that verifies none accepts.
    """
    data = to_bytes_versioned(message)
    signers = list({each.pubkey(): each for each in signers}.values())
    return VersionedTransaction(
        message,
        [
            each
            if isinstance(each, Keypair | NullSigner)
            else Presigner(each.pubkey(), each.sign_message(data))
            for each in signers
        ],
    )


def unsigned(message: MessageV0) -> VersionedTransaction:
    """A transaction to try without asking anybody to sign: a signer may ask a person for each signature."""
    return VersionedTransaction.populate(
        message, [Signature.default()] * message.header.num_required_signatures
    )


async def sign_aside(message: MessageV0, signers: Sequence[Signer]) -> VersionedTransaction:
    """Sign without holding up whatever else this process does."""
    if all(isinstance(each, Keypair) for each in signers):
        return sign(message, signers)
    return await asyncio.to_thread(sign, message, signers)
