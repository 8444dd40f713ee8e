"""The wall clock of single processes, set by a test; what measures durations goes on."""

import os
import shutil
import struct
import subprocess
import sys
from pathlib import Path

SOURCE = Path(__file__).with_suffix(".c")
COMPILER = shutil.which("cc") if sys.platform == "linux" else None
"""What makes the clocks; without it no clock can be set."""


class WallClock:
    """The clock of the processes that are started with its variables.

    Parameters
    ----------
    folder : Path
        Where it is kept, and what it needs is compiled.
    """

    def __init__(self, folder: Path) -> None:
        assert COMPILER is not None
        library, self._file = folder / "wall_clock.so", folder / "wall_clock"
        options = ["-O2", "-Wall", "-Werror", "-shared", "-fPIC"]
        command = [COMPILER, *options, "-o", str(library), str(SOURCE), "-ldl", "-pthread"]
        subprocess.run(command, check=True)
        self._file.write_bytes(bytes(8))
        self.variables = {"LD_PRELOAD": str(library), "WALL_CLOCK": str(self._file)}

    def set(self, seconds: int) -> None:
        """Set it so far before the real one; below 0, behind it."""
        with self._file.open("r+b", buffering=0) as file:
            os.pwrite(file.fileno(), struct.pack("=q", seconds), 0)
