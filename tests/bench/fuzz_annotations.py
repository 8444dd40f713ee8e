"""A million hostile messages, no poison: python -m tests.bench.fuzz_annotations 1000000 [seed]."""

import sys
import time
from collections import Counter

from tests.lasair.hostile import run

BATCH = 50_000


def main(n_messages: int, seed: int = 0) -> None:
    """Write the annotations of so many hostile messages; fail at the first that has poison."""
    started, total = time.monotonic(), Counter[str]()
    for first in range(0, n_messages, BATCH):
        total.update(run(min(BATCH, n_messages - first), seed + first))
        sys.stdout.write(
            f"{sum(total.values())}: {dict(total)}, {time.monotonic() - started:.0f} s\n"
        )


if __name__ == "__main__":
    arguments = [int(argument) for argument in sys.argv[1:]]
    main(*arguments) if arguments else main(1_000_000)
