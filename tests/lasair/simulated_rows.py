"""Objects that the ready filters are tried on: one that each is meant for, and decoys."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from broker_classifier.lasair.annotation.write_annotation import Annotation, annotation
from tests.lasair.messages import answer, history_of, point

Fields = dict[str, Any]

CLASSES = ("SNIa", "SNII", "SNIbc", "SLSN-I", "TDE", "AGN")


@dataclass(frozen=True)
class SimulatedRow:
    """One object as Lasair has it.

    Attributes
    ----------
    name : str
    annotation : dict
    sherlock : str
        Sherlock's class.
    separation : float
        From the host's centre, arcsec.
    days_ago : float
        When it was last seen.
    """

    name: str
    annotation: Annotation
    sherlock: str
    separation: float
    days_ago: float


def simulated_rows(survey: str) -> list[SimulatedRow]:
    """Make the rows of one survey's Lasair; their annotations are written by the annotator."""
    return [_row(survey, number, *row) for number, row in enumerate(_rows())]


def _rows() -> Iterator[tuple[str, list[Fields], Fields]]:
    def to_be(name: str, *answers: Fields, **fields: Any) -> tuple[str, list[Fields], Fields]:
        return name, list(answers), {"n_points_used": 12} | fields

    fading = [point(0.0, 10_000.0), point(4.0, 2_000.0)]
    tde = {"probabilities_equal_prior": {"TDE": 0.7, "SNIa": 0.3}}
    slsn = {"probabilities_equal_prior": {"SLSN-I": 0.8}}
    changed = said("SNII", 0.6, 20.0), said("SNIa", 0.75, 25.0)
    yield to_be("young-snia", said("SNIa", 0.8, 9.0), n_points_used=8)
    yield to_be("young-snia-last-year", said("SNIa", 0.8, 9.0), n_points_used=8, days_ago=300.0)
    yield to_be("old-snia", said("SNIa", 0.95, 60.0))
    yield to_be("unsure-snia", said("SNIa", 0.7, 1.0), bits=0.1, n_points_used=4, sherlock="BS")
    yield to_be("tde", said("SNIa", 0.5, 30.0), separation=0.4, **tde)
    yield to_be("tde-outside-its-host", said("SNIa", 0.5, 30.0), separation=9.0, **tde)
    yield to_be("slsn", said("SLSN-I", 0.5, 40.0), sherlock="ORPHAN", **slsn)
    yield to_be("fast-fader", said("SNII", 0.5, 4.0), bits=0.3, light_curve=fading)
    yield to_be("infant", said("SNII", 0.6, 1.0), bits=0.2, n_points_used=2)
    yield to_be("changed", *changed)
    yield to_be("changed-long-ago", *changed, said("SNIa", 0.9, 50.0))
    yield to_be("sn-on-a-star", said("SNII", 0.9, 30.0), sherlock="VS")
    yield to_be("agn-in-a-galaxy", said("AGN", 0.9, 30.0), separation=0.2)
    yield to_be("plain-agn", said("AGN", 0.9, 30.0), sherlock="AGN")


def said(top_class: str, probability: float, days: float) -> dict[str, Any]:
    """One answer: a class, and the rest of the probability shared by the others."""
    rest = (1 - probability) / (len(CLASSES) - 1)
    probabilities = dict.fromkeys(CLASSES, rest) | {top_class: probability}
    return {
        "top_class": top_class,
        "probability": probability,
        "days": days,
        "probabilities": probabilities,
        "probabilities_equal_prior": probabilities,
    }


def _row(
    survey: str, number: int, name: str, answers: list[Fields], fields: Fields
) -> SimulatedRow:
    object_id = str(313637921267122000 + number) if survey == "lsst" else f"ZTF26{number:07d}"
    about = {"object_id": object_id, "survey": survey}
    of_lasair = {"sherlock": "SN", "separation": 4.0, "days_ago": 0.5}
    of_all = {key: value for key, value in fields.items() if key not in of_lasair}
    read = [answer(**{**of_answer, **about, **of_all}) for of_answer in answers]
    made = annotation(read[-1], history_of(*read), survey, "mytopic")
    assert made is not None
    stands = {key: fields.get(key, value) for key, value in of_lasair.items()}
    return SimulatedRow(name, made, **stands)
