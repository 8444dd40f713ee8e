"""The demo's page in a real browser: it draws every object, and is no wider than the window."""

import re
import subprocess

from tests.demo.test_page import ledger, written
from tests.tools import program

QUIET = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def browse(page, profile, *options):
    command = [program("chromium", "chromium"), *QUIET, f"--user-data-dir={profile}", *options]
    ended = subprocess.run(
        [*command, page.as_uri()], capture_output=True, text=True, timeout=120, check=True
    )
    return ended.stdout


def test_a_browser_shows_every_object_with_its_chart(tmp_path):
    written(tmp_path, ledger(["ZTF1", "ZTF<2>", "ZTF3"]))
    page = tmp_path / "night" / "index.html"
    shown = browse(page, tmp_path / "profile", "--dump-dom")
    assert len(re.findall(r"<svg", shown)) >= 3
    assert "ZTF&lt;2&gt;" in shown


def test_a_browser_paints_the_page(tmp_path):
    written(tmp_path, ledger())
    picture = tmp_path / "page.png"
    page = tmp_path / "night" / "index.html"
    browse(page, tmp_path / "profile", f"--screenshot={picture}", "--window-size=800,900")
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert picture.stat().st_size > 10_000
