"""Databases, settings, and devices that work."""

from __future__ import annotations

from tests.keeper.cli.wrong.typed import AS_RENTER, ON, Wrong, usage

URLS = {
    "keeper.db": 2 * ("not a database's URL: write sqlite:///FILE or postgresql://...",),
    "postgresql://host:port/x": 2 * ("not a database's URL",),
    "mysql://localhost/x": 2 * ("the keeper can't use a mysql database; use sqlite or postgresql",),
    "sqlite://": 2 * ("needs a file: sqlite:///keeper.db",),
    "sqlite:///:memory:": 2 * ("needs a file: sqlite:///keeper.db",),
    "sqlite:///folder": 2 * ("unable to open database file",),
    "sqlite:///binary/x.db": ("binary: File exists", "binary/x.db: Not a directory"),
    "sqlite:///loop": ("unable to open database file", "loop: Too many levels of symbolic links"),
    "sqlite:///garbage.db": 2 * ("file is not a database",),
    "sqlite:///later.db": (
        "'9999'; its tables are another version's: use the keeper that made them",
        "its schema is at 9999",
    ),
    "sqlite:///other.db": ("table chain already exists", "its tables, such as chain, are not the keeper's"),
    "postgresql://nobody:secret@127.0.0.1:9/x": 2 * ("is IONET_DATABASE right?",),
    "postgresql:///x?user=nobody&password=secret&host=127.0.0.1&port=9": 2 * ("is IONET_DATABASE right?",),
    "postgresql://nobody@127.0.0.1:9/x?nonsense=1": 2 * ("nonsense",),
}
"""What whoever makes a database, and whoever only reads one, says of it."""
DATABASES = [
    *(Wrong("db upgrade", made, {"IONET_DATABASE": url}) for url, (made, _) in URLS.items()),
    *(Wrong("keeper retry", read, {"IONET_DATABASE": url}) for url, (_, read) in URLS.items()),
    *(
        Wrong(typed, URLS[url][0], {"IONET_DATABASE": url})
        for url in ("keeper.db", "sqlite:///folder", "postgresql://nobody:secret@127.0.0.1:9/x")
        for typed in (
            "db rebuild staking",
            f"keeper status {ON}",
            f"keeper resume {ON}",
            f"index {ON}",
            f"keeper run --once {AS_RENTER}",
            f"keeper once emission {AS_RENTER}",
        )
    ),
]
RUN = f"keeper run --once {AS_RENTER}"
SERVE = f"keeper run {AS_RENTER}"
ANY_TEXT = {"name", "price_path", "price_time_path"}
"""What may be anything; a file that it names may not, see above, and the doctor looks for the folder."""
SETTINGS = {
    "signer_seconds": "0",
    "websocket": "127.0.0.1",
    "fee_percentile": "101",
    "fee_highest": "-1",
    "fee_daily": "1.5",
    "check_seconds": "often",
    "jobs": '["mining"]',
    "peers": '["127.0.0.1"]',
    "http": "9464",
    "pow_http": "off",
    "pow_metrics": "9471",
    "relay": "9472",
    "relay_rate": "0",
    "pow_line": "0",
    "pow_connections": "63",
    "web_node": "ftp://node",
    "web_notices": "http://node",
    "web_explorer": "https://explorer.example/{id}",
    "actions": "site.example",
    "balance_warning": "NaN",
    "balance_stop": "-1",
    "lag_slots": "0",
    "lag_hours": "0",
    "bid_max_io": "800000001",
    "bid_margin_bps": "10000",
    "price_url": "ftp://prices",
    "price_max_age": "0",
    "price_max_deviation_bps": "0",
    "operators": '["127.0.0.1"]',
    "leases": "none",
    "lease_rate": "0",
    "endpoint": "192.168.1.7:51900",
    "unconfined": "perhaps",
    "egress": '["PyPI.org"]',
    "egress_limit": "0",
    "log": "loud",
}
MORE_SETTINGS = [
    Wrong(RUN, "IONET_JOBS: write a JSON list", {"IONET_JOBS": "emission"}),
    Wrong(RUN, "no job is called", {"IONET_JOBS": '["mining"]'}),
    Wrong(RUN, "IONET_PEERS: write a JSON list", {"IONET_PEERS": "http://127.0.0.1"}),
    Wrong(RUN, "IONET_HTTP: write it like 127.0.0.1:9464, or off", {"IONET_HTTP": "host:99999"}),
    Wrong(RUN, "IONET_HTTP: write it like 127.0.0.1:9464, or off", {"IONET_HTTP": "host:²"}),
    Wrong(RUN, "IONET_POW_HTTP: write it like 127.0.0.1:9470", {"IONET_POW_HTTP": "host:99999"}),
    Wrong(RUN, "IONET_POW_METRICS: write it like 127.0.0.1:9471, or off", {"IONET_POW_METRICS": "on"}),
    Wrong(RUN, "IONET_RELAY: write it like 127.0.0.1:9472, or off", {"IONET_RELAY": "host:99999"}),
    Wrong(f"operator serve {AS_RENTER}", "IONET_POW names the folder"),
    Wrong("pow profiles", "profiles by hour nowhere.json: No such file", {"IONET_PROFILES": "nowhere.json"}),
    Wrong(
        "rewards serve --dir .", "IONET_MARKET names where ticks and steps are", {"IONET_MARKET": "nowhere"}
    ),
    Wrong(f"operator serve {AS_RENTER}", "is no operator of this network", {"IONET_POW": "pow"}),
    Wrong(f"operator serve {AS_RENTER} --ray 127.0.0.1:1", "ionet[ray]", {"IONET_POW": "pow"}),
    Wrong(RUN, "IONET_BALANCE_STOP is above IONET_BALANCE_WARNING", {"IONET_BALANCE_STOP": "1"}),
    Wrong(SERVE, "set IONET_HTTP to another address, or to off", {"IONET_HTTP": "192.0.2.1:9464"}),
    Wrong(
        SERVE,
        "set IONET_HTTP to another address, or to off",
        {"IONET_HTTP": "127.0.0.1:{taken}"},
    ),
]
ENROL = "worker enrol --class 'rtx 4090' --backend numpy --keypair one.json"
WORKERS = [
    Wrong("worker run --keypair short.json", "short.json: no keypair"),
    Wrong("worker run --keypair one.json", "is not enrolled in worker: run ionet worker enrol --class"),
    Wrong("worker status --keypair one.json", "is not enrolled in worker: run ionet worker enrol --class"),
    Wrong("worker enrol --class Abacus --keypair one.json", "no class is called 'Abacus'; there are"),
    Wrong(ENROL, "choose the class that this machine is"),
    Wrong(f"{ENROL} --new one.json", "a key is never overwritten"),
    Wrong(ENROL, "binary can't be read and written (File exists)", {"IONET_WORKER": "binary"}),
    Wrong("worker test --profile 999", "there is no profile 999; there are 0, 1"),
    Wrong("worker runtime", "can't be made", {"IONET_RUNTIMES": "binary"}),
    usage(f"{ENROL} --backend abacus", "--backend"),
    usage("worker enrol", "Missing option '--class'"),
    usage("worker test --processors 9", "--processors"),
    usage(f"{ENROL} --processors 0", "--processors"),
    usage("worker test --backend abacus", "--backend"),
    Wrong("worker test --class Abacus", "no class is called 'Abacus'"),
    Wrong("worker run --chain nowhere.chain --keypair one.json", "is not enrolled in worker"),
    usage("worker status --count 0", "--count"),
]
