"""Programs that are not ours and that tests run: found, or the test skips and names the package."""

import shutil

import pytest


def program(name: str, package: str) -> str:
    """Return where a program is; skip the test if it is not on this machine."""
    path = shutil.which(name)
    if path is None:
        pytest.skip(f"no {name}: install Debian's package {package}")
    return path
