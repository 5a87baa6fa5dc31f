"""Other tools' files of a task: exactly what each key comes to, and every refusal with its line."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
from pathlib import Path

import pytest
import typer
from hypothesis import given, settings
from hypothesis import strategies as some

from keeper.cli.cluster import app as cluster_app
from keeper.cli.orders import app as order_app
from keeper.compute.runtime import LOCK
from keeper.economy.orders import Currency
from keeper.errors import UserError
from keeper.renter.jobfiles import FORMATS, FileUnreadable, Translation, cards, translate
from keeper.renter.jobfiles.reading import Fate
from keeper.resources import CLASS_TABLE
from scripts import job_files

FILES = Path(__file__).parent / "jobfiles"
HEAD = "ionet cluster submit ORDER"
HUGE = "9" * 5_000
"""More digits than Python reads as a number."""
SDL_OF_A_CARD = """version: "2.0"
services:
  a: {{image: python:3.11, command: [b]}}
profiles:
  compute:
    c:
      resources:
        gpu:
          units: 1
          attributes:
            vendor: {{nvidia: [{{{}}}]}}
deployment:
  a:
    here: {{profile: c, count: 1}}
"""


def of(name: str, currency: Currency = Currency.USDC, hours: int | None = 4, **more: bool) -> Translation:
    return translate((FILES / name).read_text(), name, currency, hours, **more)


def refused(found: Translation) -> list[tuple[int, str]]:
    return [(each.line, each.key) for each in found.refused]


def lines(name: str, *texts: str) -> list[int]:
    """The numbers of the lines that begin so."""
    all_ = [each.strip() for each in (FILES / name).read_text().splitlines()]
    return [next(n for n, each in enumerate(all_, 1) if each.startswith(text)) for text in texts]


def task(text: str, currency: Currency = Currency.IO, hours: int | None = 1, **more: bool) -> Translation:
    return translate(text, "f", currency, hours, **more)


# -- what maps -----------------------------------------------------------------------------------


def test_an_sdl_of_one_service_is_an_order_and_its_job() -> None:
    found = of("batch.sdl.yaml", Currency.IO)
    assert found.format == "Akash SDL" and found.refused == ()
    job = shlex.quote("python score.py --rows $ROWS && python report.py")
    assert found.commands == (
        "ionet order create --class CPU --currency io --hours 4",
        "ionet cluster connect ORDER --port 8080:8080",
        f"{HEAD} --env ROWS=200000 --env 'GREETING=hello world' --follow -- sh -c {job}",
    )
    texts = ("image:", "- global", "cpu:", "memory:", "- size: 10Gi", "- name: shm", "host:", "pricing:")
    assert [each.line for each in found.aside] == lines("batch.sdl.yaml", *texts)


def test_a_task_of_skypilots_with_wheels_ports_and_an_end() -> None:
    found = of("finetune.sky.yaml")
    assert found.format == "SkyPilot task" and found.refused == ()
    create, connect, download, submit, idle = found.commands
    assert create == (
        "ionet order create --class 'H100 80GB HBM3' --class 'H100 PCIe' --class 'H100 80G PCIe' "
        "--class 'A100 80GB PCIe' --class A100-SXM4-80GB --currency usdc --hours 4 --processors 8 --price 2.5"
    )
    assert connect == "ionet cluster connect ORDER --port 6006:6006"
    assert download.endswith(" --dest wheels 'numpy==2.2.*' pandas -r requirements.txt")
    before, _, job = submit.partition(" --follow -- ")
    assert before == (
        f"{HEAD} --working-dir ~/finetune $(printf -- '--wheel %s ' wheels/*.whl) "
        '--env MODEL=some/model --env EPOCHS=3 --env HF_TOKEN="$HF_TOKEN" '
        "--env SKYPILOT_NODE_RANK=0 --env SKYPILOT_NUM_NODES=1"
    )
    run = (FILES / "finetune.sky.yaml").read_text().partition("run: |\n")[2]
    script = "\n".join(each.strip() for each in run.splitlines())
    assert shlex.split(job) == ["bash", "-c", f"(\nmkdir -p checkpoints\n) || exit\n{script}"]
    assert idle == "ionet cluster end-when-idle ORDER 30m --yes"
    assert any("no agent serves a lease of cards" in each.why and each.line == 0 for each in found.aside)


def test_a_task_of_dstacks_by_its_memory_duration_and_price() -> None:
    found = of("train.dstack.yml", hours=None)
    assert found.format == "dstack task" and found.refused == ()
    create, connect, download, submit, idle = found.commands
    classes = ("RTX 4090", "RTX 4090 D", "RTX 3090", "RTX 3090 Ti", "L4", "RTX A5000", "A10", "A10G")
    named = " ".join(shlex.join(("--class", each)) for each in classes)
    assert create == f"ionet order create {named} --currency usdc --hours 2 --price 1.5"
    assert connect == "ionet cluster connect ORDER --port 8501:8501 --port 9000:6006"
    assert download.endswith("--dest wheels numpy")
    assert submit == (
        f"{HEAD} --working-dir . $(printf -- '--wheel %s ' wheels/*.whl) "
        '--env WANDB_API_KEY="$WANDB_API_KEY" --env BATCH=32 --follow -- '
        "bash -c 'python train.py --batch $BATCH && python evaluate.py'"
    )
    assert idle == "ionet cluster end-when-idle ORDER 10m --yes"


# -- what doesn't --------------------------------------------------------------------------------


def test_all_that_an_sdl_asks_for_in_vain_is_said_at_once() -> None:
    found = of("llm.sdl.yaml")
    name = "llm.sdl.yaml"
    texts = (
        "image: vllm",
        "pip install",
        "credentials:",
        "storage:",
        "ip: front",
        "redis:",
        "- name: models",
        "region:",
        "signedBy:",
        "count: 3",
        "endpoints:",
    )
    assert found.commands == () and {line for line, _ in refused(found)} == set(lines(name, *texts))
    assert not [each for each in found.refused if "gpu" in each.key]
    # Its cards map: one class of H100 is of SXM with 80 GiB, and two of A100 have 80 GiB.
    only = (FILES / name).read_text().partition("profiles:")[2]
    head = (
        'version: "2.0"\nservices:\n  vllm:\n    image: python:3.11\n    command: [python, a.py]\nprofiles:'
    )
    cut = head + only.replace("count: 3", "count: 1").partition("endpoints:")[0]
    for text in (
        "        region: us-west\n",
        "      attributes:\n      signedBy:\n        anyOf:\n          - akash1somebody\n",
    ):
        cut = cut.replace(text, "")
    begin, end = cut.index("          - name: models"), cut.index("        gpu:")
    found = task(cut[:begin] + cut[end:])
    assert found.refused == ()
    assert found.commands[0] == (
        "ionet order create --class 'H100 80GB HBM3' --class 'A100 80GB PCIe' --class A100-SXM4-80GB "
        "--currency io --hours 1 --processors 2"
    )


def test_what_a_cloud_has_and_a_cluster_not() -> None:
    found = of("serve.sky.yaml")
    texts = (
        "infra:",
        "accelerators:",
        "image_id:",
        "use_spot:",
        "num_nodes:",
        "file_mounts:",
        "service:",
        "sudo",
        "git clone",
        "torchrun",
        "curl",
        "nodes:",
    )
    assert {line for line, _ in refused(found)} == set(lines("serve.sky.yaml", *texts))
    assert ("nodes", "no such key is known here: take it out if nothing depends on it") in [
        (each.key, each.why) for each in found.refused
    ]


def test_a_service_is_no_task() -> None:
    found = of("service.dstack.yml", Currency.IO)
    texts = (
        "type:",
        "image:",
        "- python serve",
        "port:",
        "model:",
        "regions:",
        "gpu: H100",
        "compute_cap",
        "volumes:",
        "on_events",
    )
    assert {line for line, _ in refused(found)} == set(lines("service.dstack.yml", *texts))


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("run: python a.py", 0, "name --hours"),
        ("type: task\ncommands: [a]\nmax_duration: off", 0, "name --hours"),
        ("type: task\ncommands: [a]\nmax_duration: 9000h", 3, "at most 8,760 hours"),
        ("type: task\ncommands: [a]\nmax_duration: soon", 3, "'soon' is no duration"),
        ("type: task\ncommands: [a]\nmax_price: 2", 3, "it is in dollars"),
        ("type: task\ncommands: [a]\nresources:\n  gpu: 16", 0, "a device has at most 8, not 16"),
        ("type: task\ncommands: [a]\nresources:\n  gpu: 1", 0, "an order names 8 at most"),
        ("type: task\ncommands: [a]\nresources:\n  gpu: amd", 4, "NVIDIA"),
        ("type: task\ncommands: [a]\nresources: 5", 3, "fields are expected"),
        ("type: task\ncommands: a", 2, "a list of words is expected"),
        ("type: task\ncommands: []", 2, "it runs nothing"),
        ("type: task\ncommands: [a]\nenv: [1=2]", 3, "'1' is no variable's name"),
        ("type: task\ncommands: [a]\nenv: [A=1, A=2]", 3, "A is there twice"),
        ("type: task\ncommands: [a]\nports: ['80-90']", 3, "'80-90' is no port"),
        ("type: task\ncommands: [a]\nports: [70000]", 3, "a port is a number"),
        ("type: task\ncommands: [a]\nrepos: ['https://example.org/x']", 3, "one folder here alone is sent"),
        (
            "type: task\ncommands:\n- a\n- python -m pip install git+https://x\n- b",
            4,
            "pip needs the internet",
        ),
        ("type: task\ncommands:\n- a\n- pip install numpy", 4, "lines of their own, at the beginning"),
        ("type: task\ncommands:\n- echo $DSTACK_MASTER_NODE_IP", 3, "nobody sets DSTACK_MASTER_NODE_IP"),
        ("run: a\nresources:\n  accelerators: A100:0.5", 3, "is no whole number of cards"),
        ("run: a\nresources:\n  accelerators: [L4:1, T4:2]", 3, "one number of processors"),
        ("run: a\nresources:\n  ports: 8000-9000", 3, "16 ports of a range at most"),
        (f"run: a\nresources:\n  ports: {HUGE}", 3, "is no port"),
        (f"run: a\nresources:\n  autostop: {HUGE}", 3, "is no duration"),
        (f"run: a\nresources:\n  accelerators: A100-{HUGE}GB", 3, "the network has no class of cards"),
        (SDL_OF_A_CARD.format(f"ram: {HUGE}Gi"), 11, "is no size of a card's memory"),
        ("run: a\nresources:\n  autostop:\n    wait_for: none", 4, "leases aren't ended under a job"),
        ("run: a\nworkdir:\n  url: https://example.org/x", 3, "no repository is reached"),
        ("run: a\nworkdir: $HOME/x", 2, "write the folder itself"),
        ("run: ''", 1, "it runs nothing"),
        ("setup: a", 1, "it runs nothing"),
        ("run: a\nenvs: [A]", 2, "fields are expected here"),
    ],
)
def test_each_refusal_says_what_to_do(text: str, line: int, said: str) -> None:
    found = task(text, hours=None if "--hours" in said or "8,760" in said or "'soon'" in said else 1)
    assert [each for each in found.refused if each.line == line and said in each.why], found.refused
    assert found.commands == ()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "f has no fields"),
        ("- a", "f has no fields"),
        ("a: b", "f is none of Akash's, SkyPilot's and dstack's"),
        ("run: [a", "f:1: no YAML"),
        ("run: a\nrun: b", "f:2: run is there twice"),
        ("run: a\n---\nrun: b", "f:2: no YAML"),
        ("? [a]\n: b", "f:1: a name has to be a word"),
        ('run: "\\e[2J"', "f:1: it has the control character '\\x1b'"),
        ("run: " + "[" * 40 + "]" * 40, "f:1: it is larger or deeper"),
        ("run: " + "[" * 20_000, "no YAML"),
        (
            "a0: &a0 [x]\n"
            + "\n".join(f"a{n + 1}: &a{n + 1} [{', '.join([f'*a{n}'] * 9)}]" for n in range(9)),
            "larger or deeper",
        ),
        ("run: &a [*a]", "larger or deeper"),
        ("x" * (1 << 20) + "x", "more than 1 MiB"),
    ],
)
def test_what_is_no_such_file(text: str, said: str) -> None:
    with pytest.raises(FileUnreadable) as caught:
        task(text)
    assert said in str(caught.value)


@settings(max_examples=150, deadline=None)
@given(
    some.recursive(
        some.none()
        | some.booleans()
        | some.integers()
        | some.text(max_size=8)
        | some.sampled_from(
            ["task", "a.py", "H100:8", "24GB..", "pip install x", "80:80", "2h", "python:3.11"]
        ),
        lambda inner: (
            some.lists(inner, max_size=3)
            | some.dictionaries(
                some.sampled_from(
                    sorted(
                        {
                            part.strip("[]*")
                            for each in FORMATS
                            for key in each.KEYS
                            for part in key.path.split(".")
                        }
                        | {"x"}
                    )
                ),
                inner,
                max_size=6,
            )
        ),
        max_leaves=40,
    )
)
def test_no_file_breaks_it(found: object) -> None:
    """Everything ends in commands, refusals or an error of ours; never in both."""
    try:
        told = task(json.dumps(found))
    except UserError:
        return
    assert bool(told.commands) is not bool(told.refused)


OUT = [
    ("curl -fsSL https://huggingface.co/m/w.bin -o w.bin", "curl", "huggingface.co"),
    ("A=1 wget -q 'https://data.example.org:443/a?b=c@d'", "wget", "data.example.org"),
    ("cd x && git clone https://me@GitHub.com/a/b c", "git clone", "github.com"),
    ("curl --url=https://a.org/x https://b.org https://a.org/y", "curl", "a.org, b.org"),
]


@pytest.mark.parametrize(("line", "command", "hosts"), OUT)
def test_what_fetches_by_tls_is_taken_with_a_way_out(line: str, command: str, hosts: str) -> None:
    text = f"run: |\n  mkdir x\n  {line}\n"
    (why,) = [each.why for each in task(text).refused if each.line == 3]
    assert why.startswith(f"{command} needs the internet")
    assert why.endswith(f"or add --egress, for devices whose suppliers allow {hosts}")
    found = task(text, egress=True)
    assert found.refused == () and found.commands[1] == "ionet cluster connect ORDER --egress"
    assert shlex.split(found.commands[2])[-1] == f"mkdir x\n{line}"
    (said,) = [each for each in found.aside if each.line == 3]
    assert f"suppliers allow {hosts}, and wherever that leads on to" in said.why


@pytest.mark.parametrize(
    "line",
    [
        "curl http://huggingface.co/w.bin",
        "curl https://huggingface.co:8443/w.bin",
        "curl https://10.0.0.1/w.bin",
        "curl https://[2001:db8::1]/w.bin",
        "curl https://localhost/w.bin",
        "curl https://$HOST/w.bin",
        'curl "$URL"',
        "curl https://a.org/x ftp://b.org/y",
        "curl https://a.org/x && sudo id",
        "git clone git@github.com:a/b",
        "git pull",
        "apt-get install curl",
        "pip download https://a.org/x.whl",
        "docker pull https://a.org/x",
    ],
)
def test_no_way_out_leads_elsewhere(line: str) -> None:
    found = task(f"run: |\n  mkdir x\n  {line}\n", egress=True)
    assert [each.line for each in found.refused] == [3] and found.commands == ()
    assert "--egress" not in found.refused[0].why


@pytest.mark.parametrize(
    "text",
    [
        "type: task\ncommands:\n- {}\n- python a.py",
        "setup: {}\nrun: python a.py",
        'version: "2.0"\nservices:\n  a: {{image: python:3.11, command: [sh, -c, "{}"]}}\nprofiles: '
        "{{compute: {{c: {{resources: {{}}}}}}}}\ndeployment: {{a: {{here: {{profile: c, count: 1}}}}}}",
    ],
)
def test_each_format_can_ask_for_it(text: str) -> None:
    text = text.format("curl https://huggingface.co/w.bin -O")
    assert "add --egress" in task(text).refused[0].why
    found = task(text, egress=True)
    assert found.refused == () and "ionet cluster connect ORDER --egress" in found.commands


# -- what is made --------------------------------------------------------------------------------


def test_commands_are_as_they_can_be_typed(tmp_path: Path) -> None:
    """By the parsers of the commands themselves, after a shell has read them."""
    groups = {"order": typer.main.get_group(order_app), "cluster": typer.main.get_group(cluster_app)}
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    for name in ("a-1-py3-none-any.whl", "b-1-py3-none-any.whl"):
        (wheels / name).touch()
    typed = [
        line
        for name in ("batch.sdl.yaml", "finetune.sky.yaml", "train.dstack.yml")
        for line in of(name).commands
    ]
    typed += task("run: python a.py", egress=True).commands
    assert len(typed) == 16
    environment = {
        "HOME": str(tmp_path),
        "HF_TOKEN": "a 'b",
        "WANDB_API_KEY": "$x",
        "PATH": "/usr/bin:/bin",
    }
    for line in typed:
        script = f"shown() {{ printf '%s\\0' \"$@\"; }}; shown {line}"
        done = subprocess.run(
            ["sh", "-c", script], env=environment, cwd=tmp_path, capture_output=True, text=True, check=True
        )
        words = done.stdout.split("\0")[:-1]
        if words[0] == "pip":
            continue
        assert words[0] == "ionet"
        command = groups[words[1]].commands[words[2]]
        given_ = command.make_context(words[2], words[3:]).params
        if words[2] == "submit":
            assert given_["order"] == "ORDER"
            if given_["wheel"]:
                assert given_["wheel"] == [
                    Path("wheels/a-1-py3-none-any.whl"),
                    Path("wheels/b-1-py3-none-any.whl"),
                ]
                secret = {"HF_TOKEN=a 'b", "WANDB_API_KEY=$x"} & set(given_["env"])
                assert len(secret) == 1
            assert given_["working_dir"] in (None, Path(), tmp_path / "finetune")


def test_cards_are_the_networks_classes() -> None:
    rows = json.loads(CLASS_TABLE.read_text())["classes"]
    assert list(cards.CARDS) == [each["name"] for each in rows if each["kind"] == "gpu"]
    assert cards.PROCESSOR in [each["name"] for each in rows if each["kind"] == "cpu"]
    for name in cards.CARDS:
        assert name in cards.classes(name) or name.startswith(("H100", "A100", "V100 "))


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        (("a100", cards.Range(40, 40), None), ["A100-PCIE-40GB"]),
        (("A100-80GB", None, None), ["A100 80GB PCIe", "A100-SXM4-80GB"]),
        (("NVIDIA GeForce RTX 4090", None, None), ["RTX 4090"]),
        (("RTXA6000", None, None), ["RTX A6000"]),
        (("A6000", None, None), ["RTX A6000"]),
        (("RTX6000-Ada", None, None), ["RTX 6000 Ada"]),
        (("RTX3060", cards.Range(12), None), []),
        (("RTX3060", cards.Range(8), None), ["RTX 3060"]),
        (("v100", None, "sxm"), ["V100 SXM2 16GB", "V100 SXM2 32GB"]),
        (("MI300X", None, None), []),
    ],
)
def test_a_card_by_what_others_call_it(asked, found: list[str]) -> None:
    assert cards.classes(*asked) == found


def test_a_price_that_rounds_down_to_nothing_is_none() -> None:
    """An order at no price at all would wait for nothing."""
    text = "type: task\ncommands: [a]\nresources: {gpu: 'L4:2'}\nmax_price: 0.00000"
    assert " --price 0.000001" in task(f"{text}2", Currency.USDC).commands[0]
    (found,) = task(f"{text}19", Currency.USDC).refused
    assert found == (4, "max_price", "0.000001 USDC for each processor is the least that can be paid")


def test_an_image_is_set_aside_by_ones_own_word_alone() -> None:
    text = "run: python a.py\nresources:\n  image_id: docker:somebody/else:1"
    assert refused(task(text)) == [(3, "resources.image_id")]
    found = task(text, without_image=True)
    assert found.commands[1] == f"{HEAD} --follow -- python a.py"
    assert [(each.line, each.key) for each in found.aside] == [(3, "resources.image_id")]
    (ray,) = re.findall(r"^ray==(\S+) ", LOCK.read_text(), re.M)
    own = f"run: python a.py\nresources:\n  image_id: docker:rayproject/ray:{ray}-py311"
    assert task(own).refused == ()
    assert task("run: a\nresources:\n  image_id: python:3.110").refused


def test_what_goes_on_in_the_background_does_so_beside_the_next_command() -> None:
    found = task("type: task\ncommands:\n- python a.py &\n- python b.py")
    assert shlex.split(found.commands[1])[-1] == "{ python a.py & } && python b.py"


def test_every_key_has_one_fate_and_says_why() -> None:
    for each in FORMATS:
        paths = [key.path for key in each.KEYS]
        assert len(set(paths)) == len(paths)
        assert all(key.why and not key.why.endswith(".") for key in each.KEYS)
        assert {key.fate for key in each.KEYS} == set(Fate)


def test_the_page_is_made_of_the_tables() -> None:
    assert job_files.PAGE.read_text() == job_files.text(), "python -m scripts.job_files"
