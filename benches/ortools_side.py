"""The other side of market.py: OR-Tools' flows, in an environment of their own.

Reads lines of JSON: what orders want, which devices each can have and at which price, how many each got.
Writes for each the most places that can be filled, what those cost at least, and the least cost of as many
places for each order as it got.
"""

import json
import sys

import numpy as np
from ortools.graph.python import max_flow, min_cost_flow


def flows(wants: list[int], edges: list[list[int]], got: list[int]) -> list[int]:
    """Most places, their least cost, and the least cost of what the orders got.

    ``edges`` are an order, a device and a price each.
    """
    of, device, price = np.array(edges, np.int64).reshape(-1, 3).T
    devices = int(device.max(initial=-1)) + 1
    source, sink, first = 0, 1, 2 + len(wants)
    start = np.concatenate([np.zeros(len(wants), np.int64), of + 2, np.arange(devices) + first])
    end = np.concatenate([np.arange(len(wants)) + 2, device + first, np.full(devices, sink)])
    cost = np.concatenate([np.zeros(len(wants), np.int64), price, np.zeros(devices, np.int64)])

    def capacities(places: list[int]) -> np.ndarray:
        return np.concatenate([np.array(places, np.int64), np.ones(len(of) + devices, np.int64)])

    most = max_flow.SimpleMaxFlow()
    most.add_arcs_with_capacity(start, end, capacities(wants))
    if most.solve(source, sink) != most.OPTIMAL:
        raise SystemExit("no maximum")

    def least(places: list[int], much: int) -> int:
        flow = min_cost_flow.SimpleMinCostFlow()
        flow.add_arcs_with_capacity_and_unit_cost(start, end, capacities(places), cost)
        flow.set_node_supply(source, much)
        flow.set_node_supply(sink, -much)
        if flow.solve() != flow.OPTIMAL:
            raise SystemExit("no least cost")
        return int(flow.optimal_cost())

    filled = most.optimal_flow()
    return [filled, least(wants, filled), least(got, sum(got))]


for line in sys.stdin:
    print(json.dumps(flows(*json.loads(line))), flush=True)
