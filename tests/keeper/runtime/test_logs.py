"""The log's two styles: an exception's frames are shown without what their variables held."""

import subprocess
import sys

import pytest

FAILS = """
import sys
import structlog
from keeper.runtime.logs import configure
configure(sys.argv[1])
def ask(url):
    raise OSError("no answer")
try:
    ask("https://prices.example/?key=" + "s3" + "cret")
except OSError:
    structlog.get_logger().exception("job.failed", job="bids")
"""


@pytest.mark.parametrize("style", ["json", "console"])
def test_an_exception_is_logged_without_the_variables_of_its_frames(style: str) -> None:
    done = subprocess.run([sys.executable, "-c", FAILS, style], capture_output=True, text=True, check=True)
    assert "job.failed" in done.stderr
    assert "OSError: no answer" in done.stderr
    assert "s3cret" not in done.stderr
