"""What the image compiles when it is built is all that a start needs."""

import os
import re
import shlex
import subprocess
import sys

import pytest

from broker_classifier.demo.simulate.night import write_night
from tests.kafka_sources import TOP

pytestmark = pytest.mark.slow


def commands_of_the_image():
    """The commands of the build that run Python, as lists of their arguments."""
    text = (TOP / "Dockerfile").read_text().replace("\\\n", " ")
    [line] = re.findall(r"^RUN (cd / && /opt/venv/bin/python .*)$", text, re.MULTILINE)
    return [shlex.split(part)[1:] for part in line.split("&&") if "bin/python" in part]


def test_a_container_compiles_nothing_before_its_first_answer(tmp_path):
    write_night(tmp_path / "night", 3)
    cache = tmp_path / "numba"
    environment = os.environ | {"NUMBA_CACHE_DIR": str(cache), "NUMBA_CPU_NAME": "generic"}

    def run_python(*arguments):
        command = [sys.executable, *arguments]
        subprocess.run(command, cwd=TOP, env=environment, capture_output=True, check=True)
        return {path: path.stat().st_mtime_ns for path in cache.rglob("*.nb?")}

    *_, compiled = [run_python(*arguments) for arguments in commands_of_the_image()]
    output = str(tmp_path / "night.jsonl")
    classify = ["classify", str(tmp_path / "night"), "--output", output]
    assert run_python("-m", "broker_classifier.cli", *classify) == compiled
    assert len(compiled) > 20
