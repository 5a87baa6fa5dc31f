"""Every path of the API has a test that holds its figures to what they are of, or a reason why it has none.

The networks are those of ``life.py`` and ``watched.py``; figures are held to the chain's own accounts and
events, to published files and to formulas, which ``tests/programs`` and ``tests/model`` hold to each other.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from typing import Any

from keeper.api.service import PREFIX, application
from keeper.db.visitors import Visitors
from tests.keeper.api import (
    test_activity,
    test_blocks,
    test_buyback,
    test_network,
    test_seasons,
    test_views,
    test_watched,
)

COMPARED: dict[str, Callable[..., Any]] = {
    "/network": test_network.test_the_network,
    "/supply": test_network.test_where_all_io_is,
    "/supply/history": test_network.test_how_the_supply_went_adds_up_to_what_it_is,
    "/emission": test_network.test_the_emission_is_the_formula,
    "/vesting": test_network.test_vesting_is_the_genesis_table,
    "/days": test_watched.test_days_add_up_to_the_programs_own_sums,
    "/audit": test_watched.test_the_audit_has_the_programs_and_what_was_compared,
    "/seasons": test_network.test_seasons_are_the_chains,
    "/seasons/{season}": test_network.test_seasons_are_the_chains,
    "/seasons/{season}/proof/{address}": test_seasons.test_each_wallet_has_the_models_proof,
    "/classes": test_network.test_classes_are_the_chains,
    "/market": test_watched.test_the_market_is_what_devices_ask_and_operators_announced,
    "/market/{number}/depth": test_watched.test_the_market_is_what_devices_ask_and_operators_announced,
    "/market/{number}/history": test_watched.test_the_market_is_what_devices_ask_and_operators_announced,
    "/devices": test_views.test_devices_are_the_chains,
    "/devices/{address}": test_views.test_a_device_by_either_name,
    "/devices/{address}/hours": test_watched.test_a_devices_hours_are_those_of_the_files,
    "/offers": test_watched.test_offers_begin_with_the_smallest,
    "/slashes": test_watched.test_slashes_are_the_chains,
    "/slashes/{address}": test_watched.test_slashes_are_the_chains,
    "/blocks": test_blocks.test_final_hours_are_the_manifests,
    "/blocks/{hour}": test_blocks.test_final_hours_are_the_manifests,
    "/blocks/{hour}/files": test_blocks.test_files_are_served_by_their_hash,
    "/blocks/{hour}/attestations": test_blocks.test_attestations_are_the_chains,
    "/blocks/{hour}/devices": test_blocks.test_what_devices_got,
    "/blocks/{hour}/reasons": test_watched.test_an_hours_reasons_are_those_of_its_devices,
    "/blocks/{hour}/proof/{address}": test_blocks.test_a_wallet_and_its_proof,
    "/wallets/{address}": test_blocks.test_a_wallet_and_its_proof,
    "/orders": test_views.test_orders_are_the_chains,
    "/leases": test_views.test_leases_are_the_chains,
    "/leases/{address}": test_views.test_leases_are_the_chains,
    "/buyback": test_buyback.test_the_sums,
    "/auctions": test_buyback.test_auctions_are_the_chains,
    "/auctions/{number}": test_buyback.test_one_auction,
    "/transactions": test_activity.test_everything_around_an_address,
    "/tx/{signature}": test_activity.test_a_transaction,
}
WITHOUT = {
    "/orders/{address}": "it is a row of /orders, read by the same view",
    "/blocks/open": "no hour of these networks waits: only that there is none is compared",
    "/search": "it has no figures: where it leads is tested",
}


def test_every_path_is_compared_or_has_a_reason() -> None:
    paths = {
        each.removeprefix(PREFIX) for each in application(Visitors("sqlite:///nowhere.db")).openapi()["paths"]
    }
    assert COMPARED.keys() | WITHOUT.keys() == paths
    assert not COMPARED.keys() & WITHOUT.keys()


def test_the_tests_ask_these_paths() -> None:
    for path, test in COMPARED.items():
        asked = re.sub(r"\\\{\w+\\\}", r"(\\w+|\\{[^/]+\\})", re.escape(path))
        source = inspect.getsource(inspect.getmodule(test)) if "whole(" in inspect.getsource(test) else ""
        assert re.search(rf'["]{asked}["]', inspect.getsource(test) + source), path
