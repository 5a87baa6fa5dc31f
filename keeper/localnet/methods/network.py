"""The network, its time and its one node."""

from __future__ import annotations

from typing import Any

from keeper.localnet.methods.registry import method
from keeper.localnet.node import VERSION, Node
from keeper.localnet.parameters import Parameters
from keeper.localnet.refusal import NO_SNAPSHOT, Refusal, invalid

SLOTS_IN_EPOCH = 432_000
SAMPLE_SECONDS, SAMPLE_SLOTS, MAX_SAMPLES = 60, 150, 720
MAX_FEE_ACCOUNTS = 128


@method("getHealth")
def get_health(node: Node, parameters: Parameters) -> Any:
    """Always ok."""
    return "ok"


@method("getVersion")
def get_version(node: Node, parameters: Parameters) -> Any:
    """The node's version, and whether what happens here is kept."""
    build = "ionet-localnet" if node.kept else "ionet-localnet.gone-at-the-end"
    return {"solana-core": f"{VERSION}+{build}", "feature-set": 0}


@method("getGenesisHash")
async def get_genesis_hash(node: Node, parameters: Parameters) -> Any:
    """The chain's identity."""
    return await node.chain.genesis_hash()


@method("getIdentity")
def get_identity(node: Node, parameters: Parameters) -> Any:
    """The node's key, which is its faucet's."""
    return {"identity": str(node.faucet.pubkey())}


@method("getClusterNodes")
def get_cluster_nodes(node: Node, parameters: Parameters) -> Any:
    """The one node."""
    return [
        {
            "pubkey": str(node.faucet.pubkey()),
            "gossip": None,
            "tpu": None,
            "rpc": None,
            "pubsub": None,
            "version": VERSION,
            "featureSet": 0,
            "shredVersion": 0,
        }
    ]


@method("getVoteAccounts")
def get_vote_accounts(node: Node, parameters: Parameters) -> Any:
    """None: nobody votes here."""
    parameters.config(0)
    return {"current": [], "delinquent": []}


@method("getEpochInfo")
def get_epoch_info(node: Node, parameters: Parameters) -> Any:
    """Slot, block height and epoch of 432,000 slots."""
    parameters.config(0)
    epoch, index = divmod(node.slot, SLOTS_IN_EPOCH)
    return {
        "absoluteSlot": node.slot,
        "blockHeight": node.height,
        "epoch": epoch,
        "slotIndex": index,
        "slotsInEpoch": SLOTS_IN_EPOCH,
        "transactionCount": len(node.chain.kept),
    }


@method("getEpochSchedule")
def get_epoch_schedule(node: Node, parameters: Parameters) -> Any:
    """How long epochs are."""
    return {
        "slotsPerEpoch": SLOTS_IN_EPOCH,
        "leaderScheduleSlotOffset": SLOTS_IN_EPOCH,
        "warmup": False,
        "firstNormalEpoch": 0,
        "firstNormalSlot": 0,
    }


@method("getSlot")
def get_slot(node: Node, parameters: Parameters) -> Any:
    """The newest slot; what is in it is final."""
    parameters.config(0)
    return node.slot


@method("getBlockHeight")
def get_block_height(node: Node, parameters: Parameters) -> Any:
    """Blocks so far: one every 400 ms. Blockhashes last for 150 of them."""
    parameters.config(0)
    return node.height


@method("getSlotLeader")
def get_slot_leader(node: Node, parameters: Parameters) -> Any:
    """The one node."""
    parameters.config(0)
    return str(node.faucet.pubkey())


@method("getSlotLeaders")
def get_slot_leaders(node: Node, parameters: Parameters) -> Any:
    """The one node, for each slot."""
    parameters.number(0)
    return [str(node.faucet.pubkey())] * parameters.number(1, most=5_000)


@method("getTransactionCount")
def get_transaction_count(node: Node, parameters: Parameters) -> Any:
    """Transactions so far."""
    parameters.config(0)
    return len(node.chain.kept)


@method("getRecentPerformanceSamples")
def get_recent_performance_samples(node: Node, parameters: Parameters) -> Any:
    """Transactions of the last minutes."""
    limit = MAX_SAMPLES if parameters.get(0) is None else parameters.number(0)
    if limit > MAX_SAMPLES:
        raise invalid(f"Invalid limit; max {MAX_SAMPLES}")
    samples = []
    for number in range(limit):
        last = node.slot - number * SAMPLE_SLOTS
        if last <= 0:
            break
        count = len(node.chain.kept.between(last - SAMPLE_SLOTS + 1, last))
        samples.append(
            {
                "slot": last,
                "numTransactions": count,
                "numNonVoteTransactions": count,
                "numSlots": SAMPLE_SLOTS,
                "samplePeriodSecs": SAMPLE_SECONDS,
            }
        )
    return samples


@method("getRecentPrioritizationFees")
def get_recent_prioritization_fees(node: Node, parameters: Parameters) -> Any:
    """Nothing: nobody competes for a slot here."""
    if parameters.get(0) is not None:
        parameters.texts(0, MAX_FEE_ACCOUNTS)
    return [{"slot": node.slot, "prioritizationFee": 0}]


@method("getHighestSnapshotSlot")
def get_highest_snapshot_slot(node: Node, parameters: Parameters) -> Any:
    """Refused as by a node without snapshots."""
    raise Refusal(NO_SNAPSHOT, "No snapshot")


@method("minimumLedgerSlot")
def minimum_ledger_slot(node: Node, parameters: Parameters) -> Any:
    """0: all is kept."""
    return 0
