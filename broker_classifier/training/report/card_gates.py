"""The card's sections on provenance and on attention."""

from collections.abc import Mapping, Sequence
from typing import Any

from broker_classifier.training.judge.attention_profile import FEWEST_POINTS, NEAR_PEAK_DAYS
from broker_classifier.training.judge.cuts import cut_of
from broker_classifier.training.judge.gates.evidence import SUPERNOVA
from broker_classifier.training.judge.gates.forced_supernovae import (
    MAX_MISTAKEN,
    MAX_RECALL_DIFFERENCE,
    RISE_DAYS,
)
from broker_classifier.training.judge.gates.two_pipelines import MAX_SHIFT
from broker_classifier.training.judge.groups import group_label
from broker_classifier.training.report.card_tables import number, table, with_interval


def gates_section(gates: Mapping[str, Any], classes: Sequence[str]) -> str:
    """Tell of every gate whether it was passed, and its figures at each cut."""
    return "\n\n".join(
        [
            "## Does it know the source?",
            "A class must be judged alike wherever its light curves come from. "
            "Three gates test that.",
            _forced_supernovae(gates["forced_supernovae"]),
            _source_probe(gates["source_probe"]),
            _two_pipelines(gates["two_pipelines"], classes),
        ]
    )


def attention_section(attention: Mapping[str, Any]) -> str:
    """Tell where the attention lies relative to the peak, class by class; "" without attention."""
    if not attention:
        return ""
    rows = [
        (
            name,
            str(figures["n"]),
            with_interval(figures, "days_after_peak", digits=1),
            with_interval(figures, "points_days_after_peak", digits=1),
            with_interval(figures, "share_near_peak"),
            with_interval(figures, "points_share_near_peak"),
        )
        for name, figures in attention.items()
    ]
    near = f"within {NEAR_PEAK_DAYS:g} days"
    head = ("class", "n", "attention, days", "points, days", f"attention {near}", f"points {near}")
    return (
        "## Where it looks\n\nWhole light curves of test objects with "
        f"{FEWEST_POINTS} points or more. Days count from the brightest point: the median over "
        "objects of the centre of the attention, and of the centre of the points. Shares are the "
        f"parts of the attention, and of the points, {near} of the peak.\n\n"
        + table(head, rows)
        + "\n\n![attention around the peak](attention.png)"
    )


def examples_section() -> str:
    """Show an object of each class."""
    return (
        "## Examples\n\nOne test object of each class, the middle one: half of its class end with "
        "a higher probability of the right class, half with a lower one. Larger points have more "
        "attention. `broker-classifier explain` draws this for any object.\n\n"
        "![an object of each class](examples.png)"
    )


_FOLDS = " There are {} such networks. Each object is judged by one that has seen no view of it."
_FORCED_BESIDE = (
    " Three more columns do not decide: the recall of alerts of the year of most forced "
    "photometry, when the cadence was different; the recall of objects first seen "
    f"{RISE_DAYS:g} days or more before their brightest point, on the rise; and the difference to "
    "alerts weighted so that as many are first seen on the rise."
)
_PROBE_BESIDE = (
    " Two more columns do not decide: forced photometry against alerts of the same year, and "
    "against alerts of the same objects."
)
_FORCED_COLUMNS = (
    "judged at",
    "n forced, alerts, of {}",
    "called AGN or TDE",
    "recall, forced",
    "recall, alerts",
    "of {}",
    "difference",
    "on the rise: forced, alerts",
    "difference at the same phase",
    "passed",
)


def _forced_supernovae(gate: Mapping[str, Any]) -> str:
    rows = [
        (
            cut_of(key).title,
            f"{figures['n_forced']}, {figures['n_alerts']}, {figures['n_alerts_of_that_year']}",
            with_interval(figures, "called_agn_or_tde"),
            with_interval(figures, "recall_forced"),
            with_interval(figures, "recall_alerts"),
            with_interval(figures, "recall_alerts_of_that_year"),
            with_interval(figures, "recall_difference"),
            f"{number(figures['recall_forced_on_the_rise'])}, "
            f"{number(figures['recall_alerts_on_the_rise'])}",
            with_interval(figures, "difference_at_same_phase"),
            _verdict(figures["passed"]),
        )
        for key, figures in gate["at"].items()
    ]
    head = tuple(column.format(gate.get("year", "")) for column in _FORCED_COLUMNS)
    return (
        f"**Forced supernovae: {_verdict(gate['passed'])}.** The gate judges a network of the same "
        "recipe that met no forced photometry of supernovae in training. It must call at most "
        f"{MAX_MISTAKEN:g} of the {SUPERNOVA} in forced photometry AGN or TDE. Its recall of "
        f"{SUPERNOVA} (as a group, equal prior) must differ by at most {MAX_RECALL_DIFFERENCE:g} "
        "between forced photometry and alerts."
        + (_FORCED_BESIDE if rows else "")
        + (_FOLDS.format(gate["folds"]) if "folds" in gate else "")
        + _reason(gate)
        + _table(head, rows)
    )


def _source_probe(gate: Mapping[str, Any]) -> str:
    rows = [
        (
            cut_of(key).title,
            with_interval(figures["alerts_or_forced"], "auc"),
            _optional(figures["year_control"]),
            with_interval(figures, "difference"),
            _optional(figures["alerts_or_forced_of_that_year"]),
            _optional(figures["alerts_or_forced_of_the_same_objects"]),
            _verdict(figures["passed"]),
        )
        for key, figures in gate["at"].items()
    ]
    year = gate.get("year", "")
    head = (
        "judged at",
        "alerts or forced",
        f"alerts of {year} or others",
        "difference",
        f"alerts of {year} or forced",
        "the same objects",
        "passed",
    )
    return (
        f"**Source probe: {_verdict(gate['passed'])}.** Boosted trees guess from the model's "
        f"input whether an {SUPERNOVA} came from alerts or from forced photometry. The figures are "
        "areas under the ROC curve; 0.5 is chance. Most forced photometry is of one year, and "
        "cadence changes with the years. So a control guesses the year within the alerts. The gate "
        "is passed where the source is guessed no better than the year, within the interval."
        + (_PROBE_BESIDE if rows else "")
        + _reason(gate)
        + _table(head, rows)
    )


def _two_pipelines(gate: Mapping[str, Any], classes: Sequence[str]) -> str:
    rows = []
    for part, which in (("at", "unseen"), ("with_objects_that_trained", "all")):
        for key, figures in gate.get(part, {}).items():
            rows.append(
                (
                    cut_of(key).title,
                    f"{figures['n']} {which}",
                    group_label(figures["of_group"], classes),
                    with_interval(figures, "largest_mean_shift"),
                    with_interval(figures, "mean_distance"),
                    with_interval(figures, "same_decision"),
                    _verdict(figures["passed"]) if part == "at" else "",
                )
            )
    head = (
        *("judged at", "objects", "group", "largest mean shift"),
        *("distance", "same group", "passed"),
    )
    return (
        f"**Two pipelines: {_verdict(gate['passed'])}.** Objects with light curves from two "
        "sources must keep their probabilities: no group's mean shift may exceed "
        f"{MAX_SHIFT:g}. Only unseen objects decide. The distance is half the sum of absolute "
        "differences. Other nights and other noise, too, change it and the share of equal "
        "decisions." + _reason(gate) + _table(head, rows)
    )


def _verdict(passed: bool | None) -> str:
    return "not tried" if passed is None else "yes" if passed else "no"


def _reason(gate: Mapping[str, Any]) -> str:
    return f" Not tried: {gate['reason']}." if gate["reason"] else ""


def _table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    return "\n\n" + table(head, rows) if rows else ""


def _optional(figures: Mapping[str, Any] | None) -> str:
    return number(None) if figures is None else with_interval(figures, "auc")
