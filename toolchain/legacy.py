"""An IDL in the format before Anchor 0.30, which older clients (anchorpy) read. Standard library alone."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

Json = dict[str, Any]


def camel(name: str) -> str:
    """``claim_season`` as ``claimSeason``."""
    head, *rest = name.split("_")
    return head + "".join(part.capitalize() for part in rest)


def docs(part: Json) -> Json:
    """Its documentation, which both formats have alike."""
    return {"docs": part["docs"]} if part.get("docs") else {}


def legacy_type(kind: Any) -> Any:
    """A type in the older notation."""
    if kind == "pubkey":
        return "publicKey"
    if isinstance(kind, dict):
        if "defined" in kind:
            return {"defined": kind["defined"]["name"]}
        if "array" in kind:
            return {"array": [legacy_type(kind["array"][0]), kind["array"][1]]}
        (outer, inner), *_ = kind.items()
        return {outer: legacy_type(inner)}
    return kind


def legacy_fields(fields: list[Json]) -> list[Json]:
    """Fields or arguments in the older notation."""
    return [
        {"name": camel(field["name"].lstrip("_")), **docs(field), "type": legacy_type(field["type"])}
        for field in fields
    ]


def legacy_struct(definition: Json) -> Json:
    """An account or a type in the older notation."""
    kind = definition["type"]
    if kind["kind"] == "enum":
        if any("fields" in variant for variant in kind["variants"]):
            raise SystemExit(f"{definition['name']}: enums whose variants carry fields are not converted")
        body: Json = {"kind": "enum", "variants": [{"name": v["name"]} for v in kind["variants"]]}
    else:
        body = {"kind": "struct", "fields": legacy_fields(kind["fields"])}
    return {"name": definition["name"], **docs(definition), "type": body}


def require_implied(kind: str, name: str, discriminator: list[int]) -> None:
    """The older format has no discriminators: they must be the ones that its readers derive."""
    derived = list(hashlib.sha256(f"{kind}:{name}".encode()).digest()[:8])
    if derived != discriminator:
        raise SystemExit(f"{kind} {name} has a discriminator that the older format can't express")


class Seeds:
    """An instruction's seeds in the older notation, which says the type of each."""

    def __init__(self, instruction: Json, types: dict[str, Json]) -> None:
        """``types`` by name, for seeds that are in an account's data."""
        self.arguments = {each["name"]: each["type"] for each in instruction["args"]}
        self.types = types

    def of(self, account: Json) -> Json:
        """How the account is derived, if it is."""
        if "pda" not in account:
            return {}
        pda: Json = {"seeds": [self.seed(each) for each in account["pda"]["seeds"]]}
        if "program" in account["pda"]:
            pda["programId"] = self.seed(account["pda"]["program"])
        return {"pda": pda}

    def seed(self, seed: Json) -> Json:
        """One part of an address."""
        if seed["kind"] == "const":
            return {"kind": "const", "type": {"array": ["u8", len(seed["value"])]}, "value": seed["value"]}
        name, *fields = seed["path"].split(".")
        found = {"kind": seed["kind"], "path": ".".join(camel(each) for each in (name, *fields))}
        if seed["kind"] == "arg":
            return {**found, "type": legacy_type(self.arguments[name])}
        if not fields:
            return {**found, "type": "publicKey"}
        kind = self.type_of(seed["account"], fields)
        return {**found, "account": seed["account"], "type": legacy_type(kind)}

    def type_of(self, owner: str, path: Sequence[str]) -> Any:
        """The type of a field."""
        fields = {each["name"]: each["type"] for each in self.types[owner]["type"]["fields"]}
        return fields[path[0]]


def legacy_account(account: Json, seeds: Seeds) -> Json:
    """An instruction's account in the older notation."""
    return {
        "name": camel(account["name"]),
        "isMut": account.get("writable", False),
        "isSigner": account.get("signer", False),
        **({"isOptional": True} if account.get("optional") else {}),
        **docs(account),
        **seeds.of(account),
    }


def legacy_instruction(instruction: Json, types: dict[str, Json]) -> Json:
    """An instruction in the older notation."""
    seeds = Seeds(instruction, types)
    return {
        "name": camel(instruction["name"]),
        **docs(instruction),
        "accounts": [legacy_account(each, seeds) for each in instruction["accounts"]],
        "args": legacy_fields(instruction["args"]),
    }


def legacy_event(event: Json, types: dict[str, Json]) -> Json:
    """An event in the older notation, which has no documentation for events and their fields."""
    fields = legacy_fields(types[event["name"]]["type"]["fields"])
    return {
        "name": event["name"],
        "fields": [{"name": each["name"], "type": each["type"], "index": False} for each in fields],
    }


def legacy(idl: Json) -> Json:
    """The same IDL in the format before Anchor 0.30."""
    types = {each["name"]: each for each in idl["types"]}
    for kind, part in (("global", "instructions"), ("account", "accounts"), ("event", "events")):
        for each in idl[part]:
            require_implied(kind, each["name"], each["discriminator"])
    own = {each["name"] for each in idl["accounts"] + idl["events"]}
    return {
        "version": idl["metadata"]["version"],
        "name": idl["metadata"]["name"],
        "constants": [
            {"name": each["name"], "type": legacy_type(each["type"]), "value": each["value"]}
            for each in idl["constants"]
        ],
        "instructions": [legacy_instruction(each, types) for each in idl["instructions"]],
        "accounts": [legacy_struct(types[each["name"]]) for each in idl["accounts"]],
        "types": [legacy_struct(each) for name, each in types.items() if name not in own],
        "events": [legacy_event(each, types) for each in idl["events"]],
        "errors": [
            {"code": each["code"], "name": each["name"], "msg": each["msg"]} for each in idl["errors"]
        ],
        "metadata": {"address": idl["address"]},
    }
