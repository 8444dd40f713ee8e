"""A million hostile messages, no poison: python -m tests.bench.fuzz_annotations 1000000 [seed]."""

import sys
import time

from tests.lasair.hostile import run

BATCH = 50_000


def main(n_messages: int, seed: int = 0) -> None:
    """Write the annotations of so many hostile messages; fail at the first that has poison."""
    started, total = time.monotonic(), {}
    for first in range(0, n_messages, BATCH):
        for end, n in run(min(BATCH, n_messages - first), seed + first).items():
            total[end] = total.get(end, 0) + n
        sys.stdout.write(f"{sum(total.values())}: {total}, {time.monotonic() - started:.0f} s\n")


if __name__ == "__main__":
    arguments = [int(argument) for argument in sys.argv[1:]]
    main(*arguments) if arguments else main(1_000_000)
