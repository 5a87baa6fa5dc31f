"""What is typed of a network of one's own."""

from __future__ import annotations

from tests.keeper.cli.wrong.typed import GONE, ON, Wrong, usage

HERE = "localnet --rpc 127.0.0.1:0"
LOCALNETS = [
    Wrong(f"{HERE} --workers 1 --state mid", "--workers begins a network of its own"),
    Wrong(f"{HERE} --workers 1 --chain x.chain", "--workers begins a network of its own"),
    Wrong("localnet --rpc nonsense", "'nonsense' is no place to listen: write HOST:PORT"),
    Wrong("localnet --rpc 127.0.0.1:65535", "is no place to listen"),
    Wrong("localnet --rpc 127.0.0.1:²", "is no place to listen"),
    Wrong("localnet --rpc 0.0.0.0:8899", "others may reach 0.0.0.0: with --public that is allowed"),
    Wrong("localnet --rpc 127.0.0.1:{taken}", "Address already in use): is another network running?"),
    Wrong("localnet --rpc 192.0.2.1:8899 --public", "can't listen on 192.0.2.1:8899"),
    Wrong(f"{HERE} --web {{taken}}", "Address already in use): name another port by --web"),
    Wrong(f"{HERE} --faults rain=1", "'rain=1' is no fault: write drop=0.1"),
    Wrong(f"{HERE} --faults drop=2", "'drop=2' is no fault"),
    Wrong(f"{HERE} --faults drop=0.1,drop=0.1", "'drop=0.1' is no fault"),
    Wrong(f"{HERE} --faults delay=nan", "'delay=nan' is no fault"),
    Wrong(f"{HERE} --chain gone.chain", "gone.chain: no saved chain here"),
    Wrong(f"{HERE} --chain folder", "folder: no saved chain here"),
    Wrong(f"{HERE} --chain binary", "binary: not a saved chain, or damaged"),
    Wrong(f"{HERE} --chain loop", "loop: no saved chain here"),
    Wrong(f"{HERE} --chain test.chain --state mid", "--chain names a chain, --state one of ours"),
    Wrong(f"{HERE} --state end", "there is no out/demo/network.chain yet: run make demo"),
    Wrong(f"{HERE} --state mid", "there is no out/demo/mid.chain yet: run make demo"),
    Wrong(f"{HERE} --chain test.chain --keeper", "there is no keys/keeper.json for a keeper to sign with"),
    Wrong(f"{HERE} --folder binary", "binary can't be written: File exists; name another by --folder"),
    Wrong(f"{HERE} --folder loop/under", "can't be written: Too many levels of symbolic links"),
    Wrong(
        f"{HERE} --chain test.chain --keys nowhere --keeper", "there is no nowhere/keeper.json for a keeper"
    ),
    Wrong(f"faucet {{nobody}} --keys nowhere {ON}", "nowhere is no folder: name one that is there"),
    Wrong(f"faucet --keypair nowhere.json {ON}", "nowhere.json: no keypair"),
    usage(f"{HERE} --state late", "'late' is not one of"),
    usage(f"{HERE} --speed -1", "--speed"),
    usage(f"{HERE} --speed 1e9", "--speed"),
    Wrong("clock advance soon", "'soon' is no time to move on by: write 90s, 45m, 2h or 7d"),
    Wrong("clock advance {many}", "is no time to move on by"),
    Wrong(f"clock advance 1h {ON}", "test.chain is a file: name the running network"),
    Wrong(f"clock advance 1h --chain {GONE}", "the RPC node doesn't answer"),
    Wrong(f"clock speed 2 --chain {GONE}", "the RPC node doesn't answer"),
    usage("clock speed -- -1", "greater than or equal to 0"),
    Wrong("chain new test.chain --keypair renter.json", "test.chain is there already"),
    Wrong("chain new new.chain --keypair gone.json", "gone.json"),
    Wrong("chain new binary/under --keypair renter.json", "binary/under can't be written: Not a directory"),
    Wrong(
        "chain new loop/under --keypair renter.json", "can't be written: Too many levels of symbolic links"
    ),
    Wrong(f"faucet me {ON}", "'me' is no address"),
    Wrong("faucet {nobody} --chain gone.chain", "gone.chain: no saved chain here"),
    Wrong("faucet {nobody} --chain binary", "binary: not a saved chain, or damaged"),
    Wrong(f"faucet {{nobody}} --chain {GONE}", "the RPC node doesn't answer"),
]
