"""Where rows are in sorted tables."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Column = NDArray[np.bytes_] | NDArray[np.uint64]
"""A column of addresses, or of numbers."""
Places = NDArray[np.intp]
"""Places of rows in a table."""


def found(column: Column, wanted: Column) -> tuple[Places, NDArray[np.bool_]]:
    """Where each value is in a sorted column, and whether it is there."""
    if not len(column):
        return np.zeros(len(wanted), np.intp), np.zeros(len(wanted), bool)
    at = np.minimum(np.searchsorted(column, wanted), len(column) - 1)
    return at, column[at] == wanted


def inverse(sequence: Places) -> Places:
    """By a row's place in a table: its place in a sequence of all of its rows."""
    places = np.empty(len(sequence), np.intp)
    places[sequence] = np.arange(len(sequence))
    return places
