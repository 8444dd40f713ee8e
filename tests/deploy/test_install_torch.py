"""deploy/install-torch, with a Python that only writes down what pip was asked for."""

import os
import subprocess
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

SCRIPT = Path(__file__).parents[2] / "deploy" / "install-torch"
PIP = 'case "$2" in pip) echo "$*" >> "$ASKED"; {answer} ;; *) exit 1 ;; esac'
VERSION = "2.13.0"


@pytest.fixture
def asked(tmp_path):
    """Run the script on a machine with these programs; return what pip was asked for last."""

    def run(uname="Linux", nvidia_smi="exit 1", pip="exit 0", **variables):
        programs = {"uname": f"echo {uname}", "nvidia-smi": nvidia_smi, "dirname": "echo deploy"}
        for name, body in (programs | {"python": PIP.format(answer=pip)}).items():
            (tmp_path / name).write_text(f"#!/bin/sh\n{body}\n")
            (tmp_path / name).chmod(0o755)
        record = tmp_path / "asked"
        environment = {"PATH": str(tmp_path), "ASKED": str(record)} | variables
        subprocess.run(["/bin/sh", SCRIPT, tmp_path / "python"], env=environment, check=True)
        return record.read_text().splitlines()[-1] if record.exists() else None

    return run


def test_a_machine_without_a_gpu_gets_the_cpu_build(asked):
    assert asked().endswith(f" torch=={VERSION}+cpu")


def test_a_machine_with_an_nvidia_gpu_gets_the_gpu_build(asked):
    assert asked(nvidia_smi="echo GPU 0").endswith(f" torch=={VERSION}")


def test_a_mac_gets_the_plain_build(asked):
    assert asked(uname="Darwin").endswith(f" torch=={VERSION}")


def test_where_pip_knows_no_cpu_build_it_comes_from_pytorchs_index(asked):
    last = asked(pip='case "$*" in *--no-deps*) exit 1 ;; esac')
    assert last.endswith(
        f"--extra-index-url https://download.pytorch.org/whl/cpu torch=={VERSION}+cpu"
    )


def test_another_index_can_be_named(asked):
    last = asked(TORCH_INDEX="https://mirror.example/cpu")
    assert last.endswith(f"--extra-index-url https://mirror.example/cpu torch=={VERSION}+cpu")


def test_an_installed_torch_is_left_alone(tmp_path):
    (tmp_path / "python").write_text('#!/bin/sh\n[ "$1" = -c ]\n')
    (tmp_path / "python").chmod(0o755)
    environment = os.environ | {"PATH": f"{tmp_path}:/bin:/usr/bin"}
    subprocess.run([SCRIPT, tmp_path / "python"], env=environment, check=True)


def test_the_pinned_version_is_one_that_the_package_allows():
    project = tomllib.loads((SCRIPT.parents[1] / "pyproject.toml").read_text())["project"]
    needs = {
        requirement.name: requirement for requirement in map(Requirement, project["dependencies"])
    }
    assert f"version={VERSION}" in SCRIPT.read_text().split()
    assert VERSION in needs["torch"].specifier
