"""The demo's page: one file with every object, to be looked at afterwards, or sent."""

from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import orjson

from broker_classifier.demo.ledger import Check, Ledger
from broker_classifier.streams.classification import ClassificationMessage
from broker_classifier.web.index.history import object_history
from broker_classifier.web.index.published import published
from broker_classifier.web.index.store_answers import store_answers
from broker_classifier.web.index.tables import open_index
from broker_classifier.web.server.assets import colours
from broker_classifier.web.single_file import single_file

MOST_OBJECTS = 200
_ENTRY = "night/night.js"


def write_page(path: Path, ledger: Ledger, checks: Sequence[Check], title: str) -> Path:
    """Write the page, its folder included; return its path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(page(ledger, checks, title), encoding="utf-8")
    return path


def page(ledger: Ledger, checks: Sequence[Check], title: str) -> str:
    """Lay out the page; of very many objects, those with the most answers."""
    truth = {a.object_id: a.label for a in ledger.sent if a.label is not None}
    evolution = ledger.evolution()
    largest = sorted(evolution, key=lambda name: -len(evolution[name]))[:MOST_OBJECTS]
    newest = {name: evolution[name][-1] for name in largest}
    classes = list(next(iter(newest.values())).probabilities) if newest else []
    order = {name: place for place, name in enumerate(classes)}

    def by_class(name: str) -> tuple[int, float]:
        return order.get(truth.get(name) or newest[name].top_class, 99), evolution[name][0].mjd

    content = {
        "title": title,
        "colours": colours(),
        "classes": classes,
        "figures": _figures(ledger, evolution, truth),
        "checks": [vars(check) for check in checks],
        "footnote": _footnote(newest, truth),
        "objects": _objects([evolution[name] for name in sorted(largest, key=by_class)], truth),
    }
    return single_file(_ENTRY, f"broker-classifier: {title}", content)


def _objects(
    evolutions: Sequence[Sequence[ClassificationMessage]], truth: Mapping[str, str]
) -> list[dict[str, Any]]:
    """Return every object's history as the server gives it."""
    with closing(open_index(":memory:")) as index:
        messages = [
            published(answer.model_dump_json(by_alias=True).encode())
            for answers in evolutions
            for answer in answers
        ]
        store_answers(index, messages)
        names = [(answers[0].survey, answers[0].object_id) for answers in evolutions]
        return [
            {
                "history": orjson.loads(orjson.dumps(object_history(index, survey, object_id))),
                "truth": truth.get(object_id),
            }
            for survey, object_id in names
        ]


def _figures(
    ledger: Ledger,
    evolution: Mapping[str, Sequence[ClassificationMessage]],
    truth: Mapping[str, str],
) -> list[tuple[str, str]]:
    figures = {
        "alerts sent": f"{len(ledger.sent):,}",
        "classified": f"{len(ledger.answers):,}",
        "objects": f"{len(evolution):,}",
    }
    if ledger.answers:
        figures["alert to answer, median"] = f"{ledger.latency_s(50) * 1000:.0f} ms"
        figures["alert to answer, 99 %"] = f"{ledger.latency_s(99) * 1000:.0f} ms"
    if truth:
        n_right = sum(
            truth.get(name) == answers[-1].top_class for name, answers in evolution.items()
        )
        figures["end on the true class *"] = f"{n_right} / {len(evolution)}"
    return list(figures.items())


def _footnote(newest: Mapping[str, ClassificationMessage], truth: Mapping[str, str]) -> str:
    models = sorted({f"{a.model.name} {a.model.version}" for a in newest.values()})
    sentences = [f"Classified by {', '.join(models)}." if models else "Nothing was classified."]
    if truth:
        sentences.append(
            "* The simulated objects are parametric copies of real ones, of the sample that the "
            "model was trained on, with rare classes made common: this shows how the service works "
            "and is no measure of its accuracy, which the model card gives."
        )
    return " ".join(sentences)
