"""One root of errors, one home of settings and keys: held against every module of the keeper."""

from __future__ import annotations

import ast
import builtins
import importlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from keeper.clients.errors import ADVICE
from keeper.clients.programs import PROGRAMS
from keeper.errors import UserError, why

LINE = 100
"""Letters of an advice at most: it stands alone in a line of a terminal."""
KEEPER = Path(__file__).parents[2] / "keeper"
TREES = {
    str(path.relative_to(KEEPER)): ast.parse(path.read_text())
    for path in sorted(KEEPER.rglob("*.py"))
    if "migrations" not in path.parts
}
INTERNAL = {
    "api.problems.NotModified": "no error: a visitor has the answer already, which is then 304",
    "chain.fixed._VariableSizeError": "caught where it is raised for: such a type is read in another way",
    "compute.nsinit.Failed": "goes to the agent as its text, which raises SandboxFailed with it",
    "compute.proxy._Refused": "how a renter's code is refused: its text is the answer",
    "localnet.refusal.Refusal": "how a refusal leaves a method: the server answers with it",
    "operator.clusters.witness.TooMany": "becomes a refusal in the endpoint that asked",
    "operator.http.Refused": "how a refusal leaves an endpoint: the service's handler answers with it",
    "renter.inside.Wrong": "goes to the other end as its text; here it becomes TransferFailed or NodeSilent",
    "rewards.wallet_index.NoIndex": "becomes NotIndexed, or has the index written, in every caller",
    "runtime.rehearsal._Repeated": "how a rehearsal ends, caught there",
    "sender.intents.Stopped": "how jobs end at a stop: the loop, which stopped the sender, catches it",
}
"""Exceptions that no user ever sees."""
DEFECTS = {
    "audit/hours.py": "a mapping's KeyError: whoever asks for a file by its hash looks first",
    "chain/program.py": "a name, an argument or an account that the IDL has not: whoever calls it is wrong",
    "chain/types.py": "a type that no IDL of ours has: the IDLs come with the keeper",
    "db/types.py": "a negative number of 128 bits: no event of ours has one",
    "economy/merkle.py": "a tree without leaves: callers look first",
    "rewards/held.py": "a mapping's KeyError: whoever asks for a file by its hash looks first",
    "sender/store.py": "two transactions for one intent at a time",
}
CAUGHT = {
    "audit/order_rules.py": "an instruction that isn't known whole: the audit tells of it, or of nothing",
    "audit/bundle/answers.py": "what no chain answers, and what Python asks of an object without a name",
    "audit/bundle/pack.py": "a manifest that is none: becomes a BundleError in the caller",
    "api/fields.py": "pydantic's way to refuse a value: the visitor is answered 400",
    "api/routes/activity.py": "the same",
    "chain/answers.py": "what isn't an answer: the asker makes it ChainUnreachable",
    "chain/asking.py": "what isn't an answer: becomes ChainUnreachable in the caller",
    "chain/landed.py": "what isn't an answer: the asker makes it ChainUnreachable",
    "chain/landed_bytes.py": "the same",
    "chain/limits.py": "a wait that would be too long: becomes Limited in the same function",
    "chain/notices.py": "nonsense on a websocket, which is opened again",
    "chain/shapes.py": "pydantic's way to refuse a value: the asker makes it ChainUnreachable",
    "chain/snapshot.py": "becomes a ChainError in the same function",
    "cli/faucet.py": "what isn't an answer: the asker makes it ChainUnreachable",
    "compute/egress.py": "a supplier's list: settings have pydantic refuse it",
    "compute/proxy.py": "a connection that is over: it is closed in the caller",
    "compute/node.py": "a node's id that is none: becomes HeadSilent in the caller",
    "localnet/instructions.py": "an instruction that can't be parsed: becomes None in the caller",
    "localnet/crew.py": "an operator that has seen no chain: whoever asked it asks again",
    "pow/record.py": "pydantic's way to refuse a value: becomes a RecordError in the same module",
    "renter/door.py": "what isn't an answer: becomes NotConnected in both callers",
    "runtime/look.py": "a look that takes too long: the keeper tells of it",
    "tables.py": "becomes a TableError in the caller",
    "settings/__init__.py": "pydantic's way to refuse a value: read_settings makes it SettingsRefused",
    "settings/explorer.py": "the same: a setting that names no explorer",
    "settings/keys.py": "becomes KeyRefused in both callers",
}
"""Why a module raises an exception of Python's own: nobody but us can cause it, or it is caught at once."""


def classes() -> Iterator[tuple[str, type]]:
    for path, tree in TREES.items():
        names = [node.name for node in tree.body if isinstance(node, ast.ClassDef)]
        if names:
            module = path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
            found = importlib.import_module(f"keeper.{module}")
            yield from ((f"{module}.{name}", getattr(found, name)) for name in names)


def test_every_exception_is_the_users_or_nobodys() -> None:
    exceptions = {name: each for name, each in classes() if issubclass(each, BaseException)}
    assert len(exceptions) > 30
    others = {name for name, each in exceptions.items() if not issubclass(each, UserError)} - {
        "errors.UserError"
    }
    assert others == set(INTERNAL)


def raised(tree: ast.Module) -> Iterator[str]:
    """The names of all that a module raises."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Raise) and node.exc is not None:
            what = node.exc.func if isinstance(node.exc, ast.Call) else node.exc
            yield ast.unparse(what)


def test_pythons_own_exceptions_are_raised_for_a_reason() -> None:
    own = {name for name, each in vars(builtins).items() if isinstance(each, type)}
    own = {name for name in own if issubclass(getattr(builtins, name), BaseException)}
    found = {path for path, tree in TREES.items() if own & set(raised(tree))}
    assert found == {*DEFECTS, *CAUGHT}


def called(tree: ast.Module) -> set[str]:
    """The names of all that a module calls, without what they are called on."""
    calls = (node.func for node in ast.walk(tree) if isinstance(node, ast.Call))
    return {ast.unparse(each).rpartition(".")[2] for each in calls}


@pytest.mark.parametrize(
    ("what", "homes"),
    [
        ("Settings", {"settings/__init__.py"}),
        # A script of a renter's has no command line that would give them.
        ("read_settings", {"cli/options.py", "renter/cluster.py"}),
        ("choose_signer", {"settings/__init__.py"}),
        ("parse_keypair", {"settings/keys.py"}),
        # A worker's key is a file on its machine, by nature; so is a second key, of who pays the fee.
        ("read_private_keypair", {"settings/keys.py", "cli/devices.py", "cli/signing.py"}),
    ],
)
def test_settings_and_keys_have_one_home(what: str, homes: set[str]) -> None:
    assert {path for path, tree in TREES.items() if what in called(tree)} == homes


def test_nobody_else_looks_into_the_environment() -> None:
    looking = {
        path
        for path, tree in TREES.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and node.attr in ("environ", "getenv")
    }
    # For the doctor, who compares it with the settings that there are, and for a localnet's keeper, who gets
    # none of them; a renter's shell has the terminal's name, and on a node the secret of who may use it.
    assert looking == {"cli/keeper.py", "cli/localnet_child.py", "renter/inside.py", "renter/shell.py"}


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (FileNotFoundError(2, "No such file or directory", "x"), "No such file or directory"),
        (OSError("full"), "full"),
        (ValueError("two\n  lines"), "two lines"),
        (ValueError(), "ValueError"),
    ],
)
def test_errors_from_elsewhere_in_one_line(error: Exception, words: str) -> None:
    assert why(error) == words


@pytest.mark.parametrize("program", ADVICE)
def test_advice_is_about_errors_that_there_are(program: str) -> None:
    names = {error.name for error in PROGRAMS[program].errors.values()}
    assert ADVICE[program].keys() - names == set()
    assert all(each.endswith(".") and len(each) <= LINE for each in ADVICE[program].values())
