"""How a running service is, read from its /metrics and /health and put in one sentence."""

import urllib.error
import urllib.request
from collections.abc import Sequence
from typing import Any

from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

TIMEOUT_S = 2.0
MOST_BYTES = 5_000_000
OUTCOMES = ("classified", "declined", "duplicate", "withdrawn", "dead_lettered")
QUANTILES = (0.5, 0.9, 0.99)


def service_health(address: str) -> dict[str, Any]:
    """Read one service; where it does not answer, say so."""
    try:
        is_well, said = _get(f"{address}/health")
        _, page = _get(f"{address}/metrics")
        figures = figures_of(page)
    except (OSError, ValueError) as error:
        why = getattr(error, "reason", error)
        sentence = f"The service at {address} does not answer: {why}"
        return {"address": address, "is_well": False, "sentence": sentence, "figures": None}
    said = said.strip()
    return {
        "address": address,
        "is_well": is_well and not figures["unaccounted"],
        "sentence": sentence_of(is_well, said, figures),
        "figures": figures,
    }


def sentence_of(is_well: bool, said: str, figures: dict[str, Any]) -> str:
    """Say in one sentence whether all is well.

    >>> figures = {"received": 0, "unaccounted": 0, "outcomes": {}, "latency": {}}
    >>> sentence_of(True, "ok", figures)
    'All is well: the service runs, and no alert has come yet.'
    """
    received, unaccounted = figures["received"], figures["unaccounted"]
    if not is_well:
        return f"Not well: {said}."
    if unaccounted:
        return f"Not well: {unaccounted:,} of {received:,} alerts are not accounted for."
    if not received:
        return "All is well: the service runs, and no alert has come yet."
    letters = figures["outcomes"].get("dead_lettered", 0)
    dead = f"; {letters:,} could not be read and are kept as dead letters" if letters else ""
    return f"All is well: each of {received:,} alerts is accounted for{dead}."


def figures_of(page: str) -> dict[str, Any]:
    """Pick the figures of the health page out of a Prometheus page."""
    samples = [s for family in text_string_to_metric_families(page) for s in family.samples]

    def total(name: str) -> float:
        return sum(s.value for s in samples if s.name == f"broker_{name}")

    def by(name: str, label: str) -> dict[str, int]:
        return {
            s.labels[label]: int(s.value)
            for s in samples
            if s.name == f"broker_{name}_total" and label in s.labels
        }

    outcomes = {name: 0 for name in OUTCOMES} | by("alerts", "outcome")
    received = int(total("alerts_received_total"))
    return {
        "received": received,
        "outcomes": outcomes,
        "unaccounted": received - sum(outcomes.values()),
        "declined": by("alerts_declined_reason", "reason"),
        "dead_letters": by("dead_letters_reason", "reason"),
        "revisions": int(total("revisions_total")),
        "retries": by("retries", "waiting_for"),
        "objects": int(total("objects")),
        "lag": _lag(samples),
        "latency": quantiles(samples, "broker_kafka_latency_seconds"),
        "since_observation": quantiles(samples, "broker_latency_seconds"),
    }


def quantiles(samples: Sequence[Sample], name: str) -> dict[str, float]:
    """Estimate quantiles of a histogram, linear within its buckets; empty where it is empty.

    >>> bucket = lambda le, n: Sample("x_bucket", {"le": le}, n)
    >>> quantiles([bucket("1.0", 50.0), bucket("2.0", 100.0), bucket("+Inf", 100.0)], "x")["0.9"]
    1.8
    """
    counts: dict[float, float] = {}
    for s in samples:
        if s.name == f"{name}_bucket":
            bound = float(s.labels["le"])
            counts[bound] = counts.get(bound, 0.0) + s.value
    buckets = sorted(counts.items())
    if not buckets or not buckets[-1][1]:
        return {}
    return {str(q): _quantile(buckets, q) for q in QUANTILES}


def _quantile(buckets: Sequence[tuple[float, float]], q: float) -> float:
    wanted, low, below = q * buckets[-1][1], 0.0, 0.0
    for bound, count in buckets:
        if count >= wanted:
            if bound == float("inf"):
                return low
            return low + (bound - low) * (wanted - below) / ((count - below) or 1.0)
        low, below = bound, count
    return low


def _lag(samples: Sequence[Sample]) -> int | None:
    lags = [s.value for s in samples if s.name == "broker_input_lag"]
    return int(sum(lags)) if lags else None


def _get(address: str) -> tuple[bool, str]:
    if not address.startswith(("http://", "https://")):
        msg = f"{address} is no http address; correct web.services"
        raise ValueError(msg)
    try:
        with urllib.request.urlopen(address, timeout=TIMEOUT_S) as answer:
            return True, answer.read(MOST_BYTES).decode(errors="replace")
    except urllib.error.HTTPError as error:
        with error:
            return False, error.read(MOST_BYTES).decode(errors="replace")
