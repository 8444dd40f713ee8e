"""All benchmarks, or those named: one table, and `bench.json`: python -m tests.bench [NAME ...]."""

import json
import os
import platform
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.bench import (
    bench_decode,
    bench_fleet,
    bench_growth,
    bench_kafka,
    bench_kill,
    bench_model,
    bench_rubin,
    bench_start,
    bench_store,
    bench_street,
    bench_web,
    bench_workers,
)
from tests.bench.figures import table

BENCHMARKS: dict[str, Callable[[], list[dict[str, Any]]]] = {
    "decode": bench_decode.entries,
    "model": bench_model.entries,
    "store": bench_store.entries,
    "street": bench_street.entries,
    "growth": bench_growth.entries,
    "workers": bench_workers.entries,
    "fleet": bench_fleet.entries,
    "kafka": bench_kafka.entries,
    "rubin": bench_rubin.entries,
    "start": bench_start.entries,
    "kill": bench_kill.entries,
    "web": bench_web.entries,
}
RESULT = Path("bench.json")


def main(names: list[str]) -> None:
    """Run benchmarks one after another; say of each that it is under way."""
    if unknown := sorted(set(names) - set(BENCHMARKS)):
        msg = f"no benchmark {', '.join(unknown)}; known: {', '.join(BENCHMARKS)}"
        raise SystemExit(msg)
    found = []
    about = machine()
    for name in names or BENCHMARKS:
        sys.stderr.write(f"{name} ...\n")
        found += [{"benchmark": name} | figure for figure in BENCHMARKS[name]()]
    RESULT.write_text(json.dumps({"machine": about, "entries": found}, indent=2) + "\n")
    sys.stdout.write(table(found) + "\n")


def machine() -> dict[str, Any]:
    """Say where, when and of what version, and how busy the machine is with other work."""
    command = ["git", "rev-parse", "HEAD"]
    commit = subprocess.run(command, check=False, capture_output=True, text=True)
    return {
        "processor": processor(),
        "cores": len(os.sched_getaffinity(0)),
        "load": round(os.getloadavg()[0], 1),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "date": datetime.now(UTC).date().isoformat(),
        "commit": commit.stdout.strip(),
    }


def processor() -> str:
    """Name the processor, as Linux does."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()


if __name__ == "__main__":
    main(sys.argv[1:])
