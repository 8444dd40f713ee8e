"""The demo's page: one self-contained HTML file with every object, to be looked at afterwards."""

from collections.abc import Mapping, Sequence
from html import escape
from importlib import resources
from pathlib import Path
from string import Template

from broker_classifier.demo.charts import chart
from broker_classifier.demo.ledger import Check, Ledger
from broker_classifier.model.class_colours import class_colour
from broker_classifier.streams.classification import ClassificationMessage

MOST_OBJECTS = 200
_TEMPLATE = "page.html"


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

    template = resources.files("broker_classifier.demo").joinpath(_TEMPLATE).read_text("utf-8")
    return Template(template).substitute(
        title=escape(title),
        figures=_figures(ledger, evolution, truth),
        proof="".join(map(_proof_line, checks)),
        legend="".join(_chip(name) for name in classes),
        cards="".join(_card(evolution[n], truth.get(n)) for n in sorted(largest, key=by_class)),
        footnote=_footnote(newest, truth),
    )


def _card(answers: Sequence[ClassificationMessage], label: str | None) -> str:
    newest = answers[-1]
    mark = ' <span class="right">✓</span>' if newest.top_class == label else ""
    truth = f"truth {_chip(label)} · " if label else ""
    return (
        f"<article><header><h2>{escape(newest.object_id)}</h2>"
        f'<b style="color:{class_colour(newest.top_class)}">{escape(newest.top_class)} '
        f'{newest.probability:.2f}</b>{mark}</header><div class="about">{truth}'
        f"{len(answers)} answers · {newest.n_points_used} points</div>"
        f"{chart(answers)}</article>"
    )


def _chip(name: str) -> str:
    return (
        f'<span class="chip"><i style="background:{class_colour(name)}"></i>{escape(name)}</span>'
    )


def _figures(
    ledger: Ledger,
    evolution: Mapping[str, Sequence[ClassificationMessage]],
    truth: Mapping[str, str],
) -> str:
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
    return "".join(f"<div><b>{value}</b>{escape(name)}</div>" for name, value in figures.items())


def _proof_line(check: Check) -> str:
    mark = '<span class="right">✓</span>' if check.holds else '<span class="wrong">✗</span>'
    return f"<li>{mark} {escape(check.statement)} <small>{escape(check.numbers)}</small></li>"


def _footnote(newest: Mapping[str, ClassificationMessage], truth: Mapping[str, str]) -> str:
    models = sorted({f"{a.model.name} {a.model.version}" for a in newest.values()})
    sentences = [f"Classified by {', '.join(models)}." if models else "Nothing was classified."]
    if truth:
        sentences.append(
            "* The simulated objects are parametric copies of real ones, of the sample that the "
            "model was trained on, with rare classes made common: this shows how the service works "
            "and is no measure of its accuracy, which the model card gives."
        )
    return escape(" ".join(sentences))
