"""What an admin, a guardian, an operator or a founder gets wrong."""

from __future__ import annotations

from tests.keeper.cli.wrong.typed import (
    AS_ADMIN,
    AS_GUARDIAN,
    AS_RENTER,
    FOUND,
    GENESIS,
    GONE,
    ON,
    Wrong,
    usage,
)

SHA256 = "ab" * 32
ADD = "admin add-class --pool community --kind gpu --multiplier 1"
GOVERNING = [
    Wrong(f"network --chain {GONE}", "Is the node running"),
    Wrong("network --chain empty.chain", "tokenomics is not set up on this chain: ionet deploy"),
    Wrong(f"guardian pause poker orders {AS_RENTER}", "no program is called poker; there are tokenomics"),
    Wrong(f"guardian pause orders orders {AS_RENTER}", "only the guardian of orders"),
    usage(f"guardian pause orders {AS_RENTER}", "Missing argument"),
    usage(f"guardian pause orders orders --hours=-10 {AS_RENTER}", "--hours"),
    usage(f"guardian pause orders orders --hours 169 {AS_RENTER}", "--hours"),
    Wrong(f"guardian lift orders {AS_RENTER}", "only the guardian of orders"),
    Wrong(f"guardian veto-block 0 {AS_RENTER}", "only the guardian of staking"),
    usage(f"guardian veto-block -- -1 {AS_RENTER}", "veto-block"),
    Wrong(f"guardian veto-slash {{device}} {SHA256} {AS_RENTER}", "only the guardian of staking"),
    Wrong(f"guardian hold {{order}} --hours 1 {AS_RENTER}", "only the guardian of orders"),
    Wrong(f"guardian cancel-params orders {AS_RENTER}", "only the guardian of orders"),
    Wrong(f"guardian cancel-class M4 {AS_RENTER}", "only the guardian of staking"),
    Wrong(f"guardian cancel-price M4 {AS_RENTER}", "only the guardian of staking"),
    Wrong(f"guardian cancel-season 1 {AS_RENTER}", "only the guardian of tokenomics"),
    Wrong(f"guardian cancel-first-price {AS_RENTER}", "only the guardian of buyback"),
    Wrong(
        f"guardian veto-block 0 {AS_GUARDIAN}", "there is no block of emission hour 0: nobody has attested"
    ),
    Wrong(f"guardian veto-slash {{device}} {SHA256} {AS_GUARDIAN}", "nobody has voted to slash this device"),
    Wrong(
        f"guardian veto-slash {{device}} {SHA256[1:]} {AS_GUARDIAN}", "is no SHA-256: 64 digits and letters"
    ),
    Wrong(f"guardian veto-slash {{order}} {SHA256} {AS_GUARDIAN}", "there is no device"),
    Wrong(f"guardian hold {{order}} --hours 1 {AS_GUARDIAN}", "is no lease"),
    Wrong(f"guardian cancel-class 'RTX 4090' {AS_GUARDIAN}", "nothing of RTX 4090 waits; ionet class list"),
    Wrong(f"guardian cancel-price 'RTX 4090' {AS_GUARDIAN}", "no step of RTX 4090 waits; ionet market price"),
    Wrong(f"guardian cancel-season 7 {AS_GUARDIAN}", "there is no season 7; there are none"),
    Wrong(f"guardian cancel-first-price {AS_GUARDIAN}", "no first price is announced; ionet buyback show"),
    Wrong(f"guardian accept orders {AS_RENTER}", "nobody is named as the next guardian of orders"),
    Wrong(f"admin propose orders notice=1 {AS_RENTER}", "only the admin of orders"),
    Wrong(f"admin propose orders notice {AS_ADMIN}", "'notice' is no NAME=VALUE"),
    Wrong(f"admin propose orders notice=1 notice=2 {AS_ADMIN}", "notice is there twice"),
    Wrong(f"admin propose orders notice=-1 {AS_ADMIN}", "notice takes a whole number"),
    Wrong(f"admin propose orders notice={'9' * 30} {AS_ADMIN}", "notice"),
    Wrong(f"admin apply orders {AS_ADMIN}", "no parameters of orders wait for their notice"),
    Wrong(f"admin offer orders abc {AS_ADMIN}", "'abc' is no address"),
    Wrong(f"admin accept orders {AS_RENTER}", "the admin's role of orders is offered to nobody"),
    Wrong(f"admin propose-guardian orders abc {AS_ADMIN}", "'abc' is no address"),
    Wrong(f"admin change-class Abacus --multiplier 1 {AS_ADMIN}", "no class is called 'Abacus'"),
    Wrong(f"admin change-class M4 --multiplier much {AS_ADMIN}", "'much' is no multiplier"),
    Wrong(f"admin change-bounds M4 --low-io much {AS_ADMIN}", "'much' is not an amount of IO"),
    Wrong(f"{ADD} M9 {AS_RENTER}", "only the admin of staking"),
    Wrong(f"{ADD} 'rtx 4090' {AS_ADMIN}", "there is a class rtx 4090 already: ionet admin change-class"),
    Wrong(f"{ADD} {'9' * 25} {AS_ADMIN}", "a class's name has 1 to 24 bytes, all of them printable"),
    Wrong(f"{ADD} M9 --multiplier 501 {AS_ADMIN}", "a multiplier is at most 500"),
    Wrong(f"{ADD} M9 --price-io much {AS_ADMIN}", "'much' is not an amount of IO"),
    Wrong(
        f"{ADD} M9 --price-usdc 0 {AS_ADMIN}", "a first price is above 0 and 100,000,000.000000 USDC at most"
    ),
    usage(f"{ADD} M9 --pool deep {AS_ADMIN}", "--pool"),
    usage(f"{ADD} M9 --kind nice {AS_ADMIN}", "--kind"),
    *(
        Wrong(f"admin change-bounds M4 {option} -1 {AS_ADMIN}", "'-1' is not an amount of")
        for option in ("--high-io", "--low-usdc", "--high-usdc")
    ),
    Wrong(f"admin change-bounds 'RTX 4090' {AS_ADMIN}", "these are the bounds of RTX 4090; name another"),
    Wrong(f"operator vote-slash {{device}} --evidence {SHA256} --bps 1 {AS_RENTER}", "is no operator"),
    usage(f"operator vote-slash {{device}} --evidence {SHA256} --bps 0 {AS_RENTER}", "--bps"),
    Wrong(f"operator match x {{device}} --dir market {AS_RENTER}", "'x' is no address"),
    Wrong(f"operator match {{order}} x --dir market {AS_RENTER}", "'x' is no address"),
    Wrong(f"operator match {{order}} {{device}} {AS_RENTER}", "--dir, or IONET_MARKET, names the folder"),
    Wrong(f"operator match {{order}} {{device}} --dir market {AS_RENTER}", "is no operator of this network"),
    Wrong(
        f"operator match {{order}} {{device}} --dir . --rewards nowhere {AS_RENTER}", "nowhere is no folder"
    ),
    usage(f"operator match {{order}} {AS_RENTER}", "Missing argument"),
    Wrong(f"operator post nowhere {AS_RENTER}", "is no operator of this network"),
    usage(f"operator post {AS_RENTER}", "Missing argument"),
    Wrong(f"operator vote-fault {{order}} --evidence {SHA256} --good-hours 0 {AS_RENTER}", "is no operator"),
    Wrong(f"balance abc {ON}", "'abc' is no address"),
    Wrong(f"balance {{nobody}} --chain {GONE}", "Is the node running"),
    Wrong(f"send much io {{nobody}} {AS_RENTER}", "'much' is not an amount of IO"),
    Wrong(f"send 1 io me {AS_RENTER}", "'me' is no address"),
    usage(f"send 1 gold {{nobody}} {AS_RENTER}", "currency"),
    Wrong(f"burn much {AS_RENTER}", "'much' is not an amount of IO"),
    Wrong("key new folder", "folder: no key was written (File exists): a key is never overwritten"),
    Wrong("key new nowhere/key.json", "no key was written (No such file or directory)"),
    Wrong("class list --chain empty.chain", "this chain has no classes yet: ionet genesis"),
    Wrong(f"season show --chain {GONE}", "Is the node running"),
    Wrong(f"season claim 7 --points list.json {AS_RENTER}", "there is no season 7; there are none"),
    Wrong("season publish 7 --points list.json --chain empty.chain", "there is no season 7; there are none"),
    usage(f"season claim one --points list.json {AS_RENTER}", "season"),
    Wrong(
        f"season open 1 --points list.json --start soon --end 2090-03-01 {AS_RENTER}",
        "only the admin of tokenomics",
    ),
    *(
        Wrong(
            f"season open 1 --points list.json --start 2090-02-01 --end 2090-03-01 {pool} much {AS_ADMIN}",
            "'much' is not an amount of IO",
        )
        for pool in ("--gpu", "--cpu", "--creators")
    ),
    usage(f"season open {2**32} --points list.json --start x --end x {AS_ADMIN}", "season"),
    usage(f"season claim {2**32} --points list.json {AS_RENTER}", "season"),
    Wrong(f"season claim 7 --points list.json --wallet x {AS_RENTER}", "there is no season 7"),
    usage(f"season publish {2**32} --points list.json {ON}", "season"),
    Wrong(f"season publish 7 --points list.json --dir binary {ON}", "there is no season 7"),
    usage(f"guardian cancel-season {2**32} {AS_GUARDIAN}", "season"),
    usage(f"guardian veto-block {2**32} {AS_GUARDIAN}", "hour"),
    usage(f"operator vote-fault x --evidence {SHA256} --good-hours {2**32} {AS_RENTER}", "--good-hours"),
    Wrong(
        f"season open 1 --points nowhere --start 2090-02-01 --end 2090-03-01 {AS_ADMIN}",
        "nowhere can't be read: No such file or directory",
    ),
    Wrong(
        f"season open 1 --points list.json --start 2090-02-01 --end 2090-03-01 {AS_ADMIN}",
        "the file of points begins with '[1]'",
    ),
    Wrong("vesting show --chain empty.chain", "nothing vests before the launch: ionet genesis"),
    Wrong(f"vesting offer me {{nobody}} {AS_RENTER}", "no allocation is called 'me'; there are"),
    Wrong(f"vesting accept me {AS_RENTER}", "no allocation is called 'me'; there are"),
]
GENESES = [
    Wrong(
        f"genesis --beneficiaries people.json --guardian {{nobody}} {AS_ADMIN}",
        "name USDC's mint by --usdc-mint",
    ),
    Wrong(f"{GENESIS} --test-usdc 1 {AS_ADMIN}", "name USDC's mint by --usdc-mint"),
    Wrong(f"{GENESIS} --guardian me {AS_ADMIN}", "'me' is no address"),
    Wrong(f"{GENESIS} --operator me {AS_ADMIN}", "'me' is no address"),
    Wrong(f"{FOUND} --test-usdc 1,5 {AS_ADMIN}", "'1,5' is not an amount of USDC"),
    Wrong(f"{GENESIS} --start soon {AS_ADMIN}", "'soon' is not a month"),
    Wrong(
        f"genesis --beneficiaries people.json --guardian {{nobody}} --usdc-mint me {AS_ADMIN}",
        "'me' is no address",
    ),
    *(
        Wrong(
            f"{GENESIS} --beneficiaries {name} {AS_ADMIN}", f"{name}: no JSON object of labels and addresses"
        )
        for name in (
            "nowhere.json",
            "folder",
            "loop",
            "binary",
            "list.json",
            "numbers.json",
            "names.json",
            "deep.json",
        )
    ),
    Wrong(f"{GENESIS} --beneficiaries few.json {AS_ADMIN}", "rows without a beneficiary: series_a"),
    Wrong(f"{GENESIS} {AS_ADMIN}", "Nothing was written: name its owners as they are"),
    Wrong(f"{FOUND} --test-usdc 1 {AS_ADMIN}", "began otherwise: USDC's mint is"),
    Wrong(f"{GENESIS} {AS_ADMIN} --chain empty.chain", "not on this chain yet: tokenomics, staking"),
    Wrong(f"{GENESIS} --guardian {{nobody}} {AS_ADMIN}", "this chain has a network that began otherwise"),
    Wrong(f"{GENESIS} --keys nowhere {AS_ADMIN}", "staking.json: no keypair"),
    Wrong(f"deploy {ON} --keypair admin.json --keys nowhere", "tokenomics.json: no keypair"),
    Wrong(f"deploy {ON} --keypair admin.json --keys binary", "tokenomics.json: no keypair"),
    Wrong(f"deploy {ON} --keypair admin.json --keys keys", "run toolchain/program_ids.py sync --keys keys"),
    Wrong("deploy --chain empty.chain --keypair poor.json", "has 0 SOL, and needs"),
    usage(f"genesis {AS_ADMIN}", "--guardian"),
]
