"""From an empty chain to a launched network: programs, then the genesis table, then the launch."""

from keeper.deploy.checks import (
    Answers,
    Begun,
    contradictions,
    read_begun,
    require_classes,
    require_foundable,
    require_table,
    require_test_usdc,
)
from keeper.deploy.files import DeployRefused, read_beneficiaries, read_keypair, staking_program
from keeper.deploy.genesis import (
    address_of_test_usdc,
    buyback_genesis,
    genesis,
    make_test_usdc,
    orders_genesis,
    staking_genesis,
)
from keeper.deploy.programs import (
    Change,
    Forecast,
    deploy_program,
    forecast,
    load_programs,
    upgrade_authority,
)

__all__ = [
    "Answers",
    "Begun",
    "Change",
    "DeployRefused",
    "Forecast",
    "address_of_test_usdc",
    "buyback_genesis",
    "contradictions",
    "deploy_program",
    "forecast",
    "genesis",
    "load_programs",
    "make_test_usdc",
    "orders_genesis",
    "read_begun",
    "read_beneficiaries",
    "read_keypair",
    "require_classes",
    "require_foundable",
    "require_table",
    "require_test_usdc",
    "staking_genesis",
    "staking_program",
    "upgrade_authority",
]
