"""The keeper's figures, for Prometheus; docs/operations.md lists them.

Labels are programs, operators and jobs. A job is the label ``keeper_job``, as Prometheus calls what it
scrapes ``job``.
"""

from __future__ import annotations

from keeper.figures import Figures


class Metrics(Figures):
    """One keeper's figures."""

    def __init__(self) -> None:
        """Start at nothing."""
        super().__init__()
        gauge, counter = self.gauge, self.counter
        self.info = gauge("keeper_info", "1, with who this keeper is", ("name", "address"))
        self.leader = gauge("leader", "1 while this keeper leads: it has renewed its lease in time; else 0")
        self.leader_epoch = gauge("leader_epoch", "the epoch of the leader that was last seen")
        self.balance = gauge("balance_lamports", "what the keeper's key has left for fees and rent")
        self.balance_warning = gauge("balance_warning_lamports", "the setting below which it warns")
        self.balance_stop = gauge("balance_stop_lamports", "the setting below which it sends nothing")

        self.chain_up = gauge("chain_up", "1 when the chain answered the last time it was asked")
        self.chain_slot = gauge("chain_slot", "the chain's newest finalized slot")
        self.chain_skew = gauge("chain_clock_skew_seconds", "the chain's clock less this machine's")
        self.database_up = gauge("database_up", "1 when the database answered the last time it was asked")
        self.index_lag = gauge("index_lag_slots", "finalized slots that are not indexed", ("program",))
        self.mismatch = gauge(
            "mismatch", "1 while a program's accounts differ from its events: nothing is sent", ("program",)
        )

        self.emission_lag = gauge("emission_lag_hours", "ended hours that are not minted")
        self.final_lag = gauge("final_lag_hours", "hours whose block could be final and isn't")
        self.block_hour = gauge(
            "block_hour", "the last hour that has ended, is attested by this keeper, is final", ("stage",)
        )
        self.block_conflicts = counter(
            "block_conflicts", "votes of operators that differ from this keeper's block", ("operator",)
        )

        self.runs = counter("job_runs", "runs of a job by how they ended", ("keeper_job", "outcome"))
        self.failing = gauge(
            "job_failures_in_a_row",
            "failed runs since the last that was good or did something",
            ("keeper_job",),
        )
        self.duration = self.histogram("job_seconds", "how long runs took", ("keeper_job",))
        self.last_success = gauge(
            "job_last_success_timestamp_seconds", "when a job last ended well", ("keeper_job",)
        )
        # Of the market: what this keeper did since its start, and the prices of all.
        self.tick_age = gauge(
            "tick_age_seconds", "since the newest tick began that matching is done with; -1 before the first"
        )
        self.tick_age.set(-1)
        self.ticks = counter("ticks", "ticks by what became of them in this operator's turns", ("outcome",))
        self.matches = counter("matches", "matches that this operator had to make", ("outcome",))
        self.replayed = counter(
            "ticks_replayed", "ticks that were computed again, by what became of them", ("outcome",)
        )
        self.against_rule = counter(
            "ticks_against_rule", "ticks in which an operator didn't go by the rule", ("operator",)
        )
        self.replay_age = gauge(
            "replayed_tick_age_seconds",
            "since the newest tick began that was computed again; -1 before the first",
        )
        self.replay_age.set(-1)
        self.leases_ended = counter("leases_ended", "leases that this keeper ended, by why", ("reason",))
        self.price_votes_missing = gauge(
            "price_votes_missing", "votes that operators lack to agree on the prices of the hour that is over"
        )
        self.price_lag = gauge("price_lag_hours", "ended hours since the last whose prices were announced")
        self.price_conflict = gauge(
            "price_conflict", "1 while operators' votes for the prices of the hour that is over differ"
        )

        # These are read from the database: of all keepers on it, and of all time.
        self.transactions = gauge("transactions", "signed transactions", ("keeper_job", "state"))
        self.fees = gauge("fees_lamports", "their fees, estimated while live", ("keeper_job", "state"))
        self.intents = gauge("intents", "actions; those parked need somebody", ("state",))
