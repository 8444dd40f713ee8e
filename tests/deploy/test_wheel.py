"""The wheel alone: built, installed into an environment of its own, run in an empty folder."""

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import urllib.error
import urllib.request
import venv
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest

from broker_classifier.demo.simulate.night import write_night
from tests.kafka_sources import TOP
from tests.kafka_streets import Service, wait_until

PACKAGE = TOP / "broker_classifier"
BUNDLES = {"lsst-transients", "spcc", "ztf-kilonovae", "ztf-transients"}
FILES_OF_A_BUNDLE = {
    "README.md",
    "bundle.json",
    "golden.json",
    "homogenisation.json",
    "weights.safetensors",
}

pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class Installed:
    """The package in an environment without the checkout, and an empty folder to run it in."""

    package: Path
    program: Path
    folder: Path

    def run(self, *arguments: object) -> subprocess.CompletedProcess[str]:
        command = [str(self.program), *map(str, arguments)]
        ended = subprocess.run(
            command, cwd=self.folder, env=CLEAN, capture_output=True, text=True, check=False
        )
        assert ended.returncode == 0, ended.stdout[-2000:] + ended.stderr[-2000:]
        return ended


CLEAN = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    options = ["--quiet", "--no-deps", "--no-index", "--no-build-isolation", "--wheel-dir", folder]
    pip("wheel", *options, TOP)
    [built] = folder.iterdir()
    return built


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory):
    folder = tmp_path_factory.mktemp("installed")
    venv.create(folder / "venv", with_pip=False)
    python = folder / "venv" / "bin" / "python"
    pip("--python", python, "install", "--quiet", "--no-deps", "--no-index", wheel)
    [packages] = folder.glob("venv/lib/python*/site-packages")
    # A folder that a .pth file names gives its packages, and not what its own .pth files name:
    # everything that the tests have, but for the checkout.
    (packages / "others.pth").write_text(sysconfig.get_paths()["purelib"])
    take_over_compiled(packages / PACKAGE.name)
    (folder / "empty").mkdir()
    return Installed(packages / PACKAGE.name, python.parent / "broker-classifier", folder / "empty")


def pip(*arguments: object) -> None:
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", *map(str, arguments)]
    subprocess.run(command, cwd="/", env=CLEAN, check=True)


def take_over_compiled(package: Path) -> None:
    """Spare the installed package a minute of numba: its sources are those of the checkout."""
    for source in package.rglob("*.py"):
        same = (PACKAGE / source.relative_to(package)).stat()
        os.utime(source, ns=(same.st_atime_ns, same.st_mtime_ns))
    for loop in PACKAGE.rglob("__pycache__/*.nb?"):
        copy = package / loop.relative_to(PACKAGE)
        copy.parent.mkdir(exist_ok=True)
        shutil.copy2(loop, copy)


def test_bundles_travel_without_plots_and_figures(wheel):
    names = [Path(name) for name in zipfile.ZipFile(wheel).namelist()]
    inside = [name for name in names if name.parts[1] == "bundles"]
    assert {name.parts[2] for name in inside} == BUNDLES
    for bundle in BUNDLES:
        assert {name.name for name in inside if name.parts[2] == bundle} == FILES_OF_A_BUNDLE
    assert wheel.stat().st_size < 10e6


def test_every_bundle_is_found_by_its_name(installed):
    listed = json.loads(installed.run("bundles", "--json").stdout)
    assert {bundle["name"] for bundle in listed} == BUNDLES
    assert {Path(bundle["folder"]).parent for bundle in listed} == {installed.package / "bundles"}


def test_the_demo_runs(installed):
    shown = installed.run("demo", "--objects", 1, "--seconds", 2)
    assert "Nothing is missing." in shown.stdout
    assert (installed.folder / "demo-night" / "index.html").exists()


def test_files_are_classified_and_explained(installed, tmp_path):
    packets = write_night(tmp_path / "night", n_objects=1)
    options = ["--bundle", "ztf-kilonovae", "--output", "night.jsonl"]
    counts = json.loads(installed.run("classify", tmp_path / "night", *options).stdout)
    assert counts["received"] == len(packets) == counts["classified"]
    summed_up = installed.run("explain", "night.jsonl", "--output", "why.png").stdout
    assert packets[0].object_id in summed_up
    assert (installed.folder / "why.png").read_bytes().startswith(b"\x89PNG")


def test_the_service_becomes_healthy_and_stops(installed, session_embedded_kafka, unique, tmp_path):
    server = session_embedded_kafka.bootstrap_servers
    service = Service(server, unique, tmp_path, PYTHONPATH="")
    service.program, service.cwd = (str(installed.program),), installed.folder
    service.start()
    try:
        wait_until(lambda: is_healthy(service), "health")
        assert service.stop() == 0
    finally:
        service.kill()


def is_healthy(service: Service) -> bool:
    try:
        with urllib.request.urlopen(service.url("/health")) as answer:
            return bool(answer.status == 200)
    except urllib.error.HTTPError:
        return False
