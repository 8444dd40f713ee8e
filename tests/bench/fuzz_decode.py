"""Decode a million broken alerts: python -m tests.bench.fuzz_decode 1000000 [seed]."""

import sys
import time

from tests.surveys.mutations import batches, corpora, count_alerts


def main(n_packets: int, seed: int = 0) -> None:
    """Break and decode so many packets of each survey's share; fail at the first surprise."""
    started, all_corpora = time.monotonic(), corpora()
    for number, corpus in enumerate(all_corpora):
        n = n_packets // len(all_corpora) + (number < n_packets % len(all_corpora))
        n_alerts = sum(count_alerts(corpus, batch) for batch in batches(corpus, n, seed + number))
        sys.stdout.write(
            f"corpus {number + 1} of {len(all_corpora)}: {n} broken packets, {n_alerts} alerts, "
            f"{n - n_alerts} errors, {time.monotonic() - started:.0f} s\n"
        )


if __name__ == "__main__":
    arguments = [int(argument) for argument in sys.argv[1:]]
    main(*arguments) if arguments else main(1_000_000)
