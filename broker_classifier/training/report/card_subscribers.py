"""The card's table of what a subscriber gets: precision and recall in the stream's proportions."""

from collections.abc import Mapping
from typing import Any

from broker_classifier.training.report.card_tables import number, table, with_interval


def subscribers_section(figures: Mapping[str, Any] | None) -> str:
    """Write `subscriber_figures`, if there are any."""
    if not figures:
        return ""
    shares = ", ".join(f"{name} {share:.4f}" for name, share in figures["shares"].items() if share)
    bits = list(dict.fromkeys(pair["bits"] for pair in figures["pairs"]))
    head = ("class", "probability", *(f"bits ≥ {least:g}" for least in bits))
    return (
        "## What a subscriber gets\n\nEach cell has the precision of "
        '`subscribe --where "CLASS >= PROBABILITY and bits >= BITS"` with its 95 % interval, then '
        "its recall. An object counts as delivered if one of its answers fulfils the condition, "
        "after 1, 2, 3, 5, 10 or 20 detections or at the end. The precision assumes that the "
        "classes are as frequent as in the stream, without what the rules decline: "
        f"{shares}. The module `stream_shares.py` names the origins. Where the recall is small, "
        "few objects were delivered, and the interval is too narrow. The interval of the recall "
        f"is in `metrics.json`.\n\n{table(head, _rows(figures, bits))}"
    )


def _rows(figures: Mapping[str, Any], bits: list[float]) -> list[tuple[str, ...]]:
    at = {(pair["probability"], pair["bits"]): pair for pair in figures["pairs"]}
    return [
        (name, f"≥ {probability:g}", *(_cell(at[probability, least], name) for least in bits))
        for name, share in figures["shares"].items()
        if share
        for probability in dict.fromkeys(pair["probability"] for pair in figures["pairs"])
    ]


def _cell(pair: Mapping[str, Any], name: str) -> str:
    """Write precision and recall of a class; "-" where nothing is delivered."""
    if pair["precision"][name] is None:
        return "-"
    of_class = {key: pair[key][name] for key in ("precision", "precision_95")}
    return f"{with_interval(of_class, 'precision')}, {number(pair['recall'][name])}"
