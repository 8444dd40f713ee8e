"""What a benchmark found: entries of `bench.json`, and the table of them."""

import statistics
from collections.abc import Sequence
from typing import Any


def entry(
    name: str,
    values: Sequence[float],
    unit: str,
    reference: str,
    reference_values: Sequence[float],
) -> dict[str, Any]:
    """Sum up a figure and the reference of the same run.

    Returns
    -------
    dict
        Medians of both; `ratio` is the median of the ratios of each turn, `spread` their least
        and most.
    """
    ratios = [mine / other for mine, other in zip(values, reference_values, strict=True)]
    return {
        "name": name,
        "value": rounded(statistics.median(values)),
        "unit": unit,
        "reference": {"name": reference, "value": rounded(statistics.median(reference_values))},
        "ratio": rounded(statistics.median(ratios)),
        "repetitions": len(ratios),
        "spread": [rounded(min(ratios)), rounded(max(ratios))],
    }


def rounded(value: float) -> float:
    """Keep three digits, and whole numbers whole.

    >>> rounded(12345.6), rounded(0.012345)
    (12346, 0.0123)
    """
    return round(value) if abs(value) >= 100 else float(f"{value:.3g}")


def table(entries: Sequence[dict[str, Any]]) -> str:
    """Lay entries out as text."""
    lines = [f"{'':44} {'value':>9} {'':10} {'reference':>34} {'ratio':>7}   (least to most)"]
    for one in entries:
        reference = f"{one['reference']['name']} {one['reference']['value']:,}"
        least, most = one["spread"]
        lines.append(
            f"{one['name']:44} {one['value']:9,} {one['unit']:10} {reference:>34} "
            f"{one['ratio']:7,}   ({least:,} to {most:,}, n={one['repetitions']})"
        )
    return "\n".join(lines)
