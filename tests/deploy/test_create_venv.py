"""deploy/create-venv on machines that lack something."""

import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "deploy" / "create-venv"


@pytest.fixture
def create_venv(tmp_path):
    """Run the script with these programs only; return how it ended."""

    def run(**programs):
        for name, body in programs.items():
            (tmp_path / name).write_text(f"#!/bin/sh\n{body}\n")
            (tmp_path / name).chmod(0o755)
        command, environment = ["/bin/sh", SCRIPT, tmp_path / "venv"], {"PATH": str(tmp_path)}
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)

    return run


def test_an_old_python_is_refused_with_advice(create_venv):
    ended = create_venv(python3="exit 1")
    assert ended.returncode == 1
    assert "No Python 3.11 or newer" in ended.stderr
    assert "make demo PYTHON=" in ended.stderr


def test_a_newer_python_is_found_behind_an_old_one(create_venv, tmp_path):
    ended = create_venv(
        python3="exit 1",
        **{"python3.12": f'[ "$1" = -c ] || echo "$*" > {tmp_path}/asked'},
        rm=":",
    )
    assert ended.returncode == 0
    assert (tmp_path / "asked").read_text() == f"-m venv {tmp_path}/venv\n"


def test_without_the_venv_module_it_says_what_to_install(create_venv):
    lacks_venv = 'case "$2" in *ensurepip*) exit 1 ;; esac'
    ended = create_venv(python3=lacks_venv, id="echo 1000")
    assert ended.returncode == 1
    assert "sudo apt install python3-venv" in ended.stderr
