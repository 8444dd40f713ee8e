"""A terminal to run programs on, and what they draw there."""

import os
import pty
import subprocess
from contextlib import nullcontext
from pathlib import Path


def on_terminal(
    command: list[str], stdout: Path | None = None, cwd: Path | None = None
) -> tuple[int, str]:
    """Run a program with stderr, and stdout unless it is given a file, on a terminal.

    Returns
    -------
    int, str
        Its exit code, and all that it wrote to the terminal, control sequences included.
    """
    controller, terminal = pty.openpty()
    environment = os.environ | {"TERM": "xterm", "COLUMNS": "120"}
    with stdout.open("wb") if stdout else nullcontext(terminal) as output:
        process = subprocess.Popen(
            command, stdout=output, stderr=terminal, cwd=cwd, env=environment
        )
    os.close(terminal)
    written = b""
    while chunk := _read(controller):
        written += chunk
    os.close(controller)
    return process.wait(), written.decode(errors="replace")


def _read(terminal: int) -> bytes:
    """Read what comes; nothing once nobody has the terminal open (Linux says EIO)."""
    try:
        return os.read(terminal, 65536)
    except OSError:
        return b""
