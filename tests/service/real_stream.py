"""What becomes of the real packets of the development data: python -m tests.service.real_stream.

It prints the table of `docs/how/whole-stream.md`.
"""

import json
import sys
import tempfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from broker_classifier.config import USUAL_STREAM, Settings
from broker_classifier.service.serve import classify_files
from broker_classifier.surveys.source.rules import RULES
from tests.kafka_sources import TOP

FOLDERS = (
    "alerts/ztf-4.01",
    "alerts/ztf-3.3",
    "alerts/ztf-3.3-one-object",
    "alerts/ztf-3.x-mixed",
    "alerts/ztf-schema-4.02",
    "rubin-alerts",
)
INFORMED_BITS = 0.5


@dataclass(frozen=True)
class Outcome:
    """What became of one folder's packets.

    Attributes
    ----------
    totals : mapping of str to int
        By outcome.
    reasons : mapping of str to int
        Declined alerts by reason.
    answers : list of dict
        The messages.
    """

    totals: dict[str, int]
    reasons: dict[str, int]
    answers: list[dict[str, Any]]

    def informed(self) -> Counter[str]:
        """Count the classes of the answers to which the light curve gave some information."""
        bits = (answer for answer in self.answers if answer["information_bits"] >= INFORMED_BITS)
        return Counter(answer["class"] for answer in bits)

    def row(self, name: str) -> list[str]:
        """Write the row of a table."""
        others = sum(n for reason, n in self.reasons.items() if reason not in RULES)
        cells = [self.totals["received"], *(self.reasons.get(reason, 0) for reason in RULES)]
        called = ", ".join(f"{n} {kind}" for kind, n in self.informed().most_common())
        return [f"`{name}`", *map(str, [*cells, others, self.totals["classified"]]), called or "—"]


def outcome(folder: Path, settings: Settings | None = None) -> Outcome:
    """Classify the packets of a folder as `classify` does."""
    with tempfile.TemporaryDirectory() as scratch:
        output = Path(scratch) / "answers.jsonl"
        metrics = classify_files(settings or Settings(), [folder], USUAL_STREAM, output)
        answers = [json.loads(line) for line in output.read_text().splitlines()]
    return Outcome(metrics.totals(), metrics.reasons(), answers)


def table(data: Path) -> str:
    """Write the table of all folders, in Markdown."""
    called = f"called, of at least {INFORMED_BITS} bits"
    head = ["packets", "received", *(f"`{name}`" for name in RULES)]
    rows = [[*head, "no usable points", "answered", called], ["---"] * (len(RULES) + 5)]
    rows += [outcome(data / name).row(Path(name).name) for name in FOLDERS]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows) + "\n"


if __name__ == "__main__":
    sys.stdout.write(table(TOP.parent / "shared" / "data"))
