"""How much memory processes have, from their start to their end."""

import statistics
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

WARM_S, WINDOW_S, END_S = 600.0, 300.0, 60.0
FLAT = 0.05
MB = 1024.0  # /proc counts in kB


@dataclass
class Life:
    """One process: when it was first seen (monotonic clock, s), and its MB at times (s) of life."""

    pid: int
    begun: float
    samples: list[tuple[float, float]] = field(default_factory=list)

    @property
    def age_s(self) -> float:
        return self.samples[-1][0] if self.samples else 0.0

    @property
    def mb_at_its_end(self) -> float:
        """The median of its last minute."""
        return statistics.median(mb for age, mb in self.samples if age >= self.age_s - END_S)

    def median(self, first_s: float) -> float:
        """Return the median of the five minutes that begin at an age."""
        values = [mb for age, mb in self.samples if first_s <= age < first_s + WINDOW_S]
        return statistics.median(values)

    def growth(self) -> float | None:
        """Compare the last five minutes with those after the first ten; None of a short life.

        >>> life = Life(1, 0.0, [(5.0 * n, 100.0 + n / 100) for n in range(720)])
        >>> round(life.growth(), 3)
        0.053
        """
        if self.age_s < WARM_S + 2 * WINDOW_S:
            return None
        return self.median(self.age_s - WINDOW_S) / self.median(WARM_S) - 1.0


class Memory:
    """The lives of processes by name."""

    def __init__(self) -> None:
        self.lives: dict[str, list[Life]] = {}

    def sample(self, pids: Mapping[str, int]) -> None:
        """Look at the processes that live now."""
        for name, pid in pids.items():
            lives, now = self.lives.setdefault(name, []), time.monotonic()
            if not lives or lives[-1].pid != pid:
                lives.append(Life(pid, now))
            with suppress(OSError):
                lives[-1].samples.append((now - lives[-1].begun, resident_mb(pid)))

    def now(self, name: str) -> float:
        """Return what a process had when it was looked at last."""
        return next((life.samples[-1][1] for life in self.lives[name][::-1] if life.samples), 0.0)

    def complaints(self, name: str) -> list[str]:
        """Say whether the memory of a process is not flat; nothing of one that lived too short.

        >>> memory = Memory()
        >>> memory.lives = {"w 0": [Life(1, 0.0, [(5.0 * n, 100.0 + n / 10) for n in range(720)])]}
        >>> memory.complaints("w 0")
        ['w 0 has +46.9% MB since its tenth minute']
        """
        growths = [life.growth() or 0.0 for life in self.lives[name]]
        return [
            f"{name} has {growth:+.1%} MB since its tenth minute"
            for growth in growths
            if abs(growth) > FLAT
        ]

    def curves(self) -> dict[str, list[dict[str, float]]]:
        """Sum up every life: its age, MB at one minute, at ten and at its end, and its growth."""
        return {
            name: [summary(life) for life in lives if life.samples]
            for name, lives in self.lives.items()
        }


def summary(life: Life) -> dict[str, float]:
    at = {f"mb_after_{s:.0f}_s": mb_at(life, s) for s in (60.0, WARM_S) if life.age_s >= s}
    growth = life.growth()
    return {
        "age_s": round(life.age_s),
        **at,
        "mb_at_its_end": round(life.mb_at_its_end, 1),
        "mb_most": round(max(mb for _, mb in life.samples), 1),
    } | ({} if growth is None else {"growth_after_ten_minutes": round(growth, 4)})


def mb_at(life: Life, age_s: float) -> float:
    return round(next(mb for age, mb in life.samples if age >= age_s), 1)


def resident_mb(pid: int) -> float:
    """Read how much of a process is in memory; raises OSError if it has ended."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    resident = [float(line.split()[1]) for line in lines if line.startswith("VmRSS")]
    if not resident:
        raise ProcessLookupError(pid)
    return resident[0] / MB
