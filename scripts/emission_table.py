"""Write programs/common/src/emission_table.rs from the emission's formula, or check it with --check."""

import sys
from pathlib import Path

from keeper.economy.emission import cumulative_by_month, decay

TABLE = Path(__file__).parents[1] / "programs/common/src/emission_table.rs"


def text() -> str:
    """The Rust file: the cumulative figures with the formula that they follow from."""
    figures = "".join(f"    {figure:_},\n" for figure in cumulative_by_month())
    return (
        "//! Written by scripts/emission_table.py; a test compares it with the formula.\n\n"
        "/// Base units emitted after 0..=240 whole months: `floor(1e8 * sum of E_i, i < m)` with\n"
        f"/// `E_i = 500e6 * 0.08/12 * q^i`, `q = {decay():.30f}..`, and 300e6 IO at the end.\n"
        "#[rustfmt::skip]\n"
        f"pub const CUMULATIVE: [u64; 241] = [\n{figures}];\n"
    )


if __name__ == "__main__":
    if "--check" in sys.argv:
        sys.exit(
            TABLE.read_text() != text() and "emission_table.rs is not what the formula gives; run this script"
        )
    TABLE.write_text(text())
