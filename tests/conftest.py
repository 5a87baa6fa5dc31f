"""Which chain the scenarios of tests/e2e run on."""

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--chain",
        choices=("embedded", "localnet", "validator"),
        default="embedded",
        help="what tests/e2e runs on: the embedded chain, a localnet in front of one, a validator of its own",
    )
