"""Read the classification topic into the outbox: each batch of messages, all or nothing."""

import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from broker_classifier.config.lasair import AnnotateSettings, AnnotatorSettings
from broker_classifier.errors import DecodeError
from broker_classifier.lasair.annotation.answer import bits_of, is_classified, read_answer
from broker_classifier.lasair.annotation.history import advanced
from broker_classifier.lasair.annotation.limits import object_id_at
from broker_classifier.lasair.annotation.write_annotation import annotation
from broker_classifier.lasair.rules import Said, reason_to_send
from broker_classifier.lasair.sending.metrics import AnnotateMetrics
from broker_classifier.lasair.sending.outbox import Outbox
from broker_classifier.lasair.sending.outbox_rows import Item
from broker_classifier.logs import get_logger
from broker_classifier.streams.classification import ClassificationMessage

log = get_logger()


@dataclass
class Intake:
    """Enters messages into the outbox.

    Parameters
    ----------
    outbox : Outbox
    annotators : mapping of str to AnnotatorSettings
        By the survey whose Lasair it is.
    settings : AnnotateSettings
    metrics : AnnotateMetrics
    clock : callable
        Unix time, s.
    """

    outbox: Outbox
    annotators: Mapping[str, AnnotatorSettings]
    settings: AnnotateSettings
    metrics: AnnotateMetrics = field(default_factory=AnnotateMetrics)
    clock: Callable[[], float] = time.time

    def enter(
        self, values: Iterable[bytes], cluster: str, topic: str, offsets: Mapping[int, int]
    ) -> Counter[str]:
        """Enter the values of messages, and how far the topic has been read, in one transaction.

        Returns
        -------
        Counter of str
            Messages by what became of them.

        Raises
        ------
        StoreUnavailableError
            If the outbox cannot be written; then nothing is entered.
        """
        answers = [_answer(value) for value in values]
        with self.outbox.transaction():
            outcomes = Counter(self._enter(answer) for answer in answers)
            self.outbox.keep_offsets(cluster, topic, offsets)
        for outcome, n_messages in outcomes.items():
            self.metrics.messages.labels(outcome).inc(n_messages)
        return outcomes

    def _enter(self, answer: ClassificationMessage | None) -> str:
        if answer is None:
            return "unreadable"
        annotator = self.annotators.get(answer.survey)
        if annotator is None or annotator.model not in ("", answer.model.name):
            return "not_asked_for"
        return self._enter_answer(answer, annotator.topic)

    def _enter_answer(self, answer: ClassificationMessage, topic: str) -> str:
        survey, object_id, now = answer.survey, answer.object_id, self.clock()
        if object_id_at(survey, object_id) is None:
            return "no_object_of_lasair"
        record = self.outbox.record(survey, object_id)
        history = advanced(record.history, answer)
        if history is None:
            return "not_newer"
        self.outbox.keep_history(survey, object_id, history, now)
        if not (record.is_waiting or reason_to_send(record.told, answer, self.settings)):
            return "unchanged"
        written = annotation(answer, history, survey, topic, self.settings.page_url)
        assert written is not None, object_id
        bits = _bits(answer, record.told)
        self.outbox.queue(survey, Item(0, object_id, written, Said.of(answer), bits, now))
        outcome = "coalesced" if record.is_waiting else "queued"
        self.metrics.annotations.labels(survey, outcome).inc()
        return outcome


def _answer(value: bytes) -> ClassificationMessage | None:
    try:
        return read_answer(value)
    except DecodeError as error:
        log.warning("not annotated", reason=str(error))
        return None


def _bits(answer: ClassificationMessage, told: Said | None) -> float:
    """Say how informative an answer is; one that takes back another counts as much as that."""
    bits = bits_of(answer)
    if not is_classified(answer) and told is not None:
        bits = told.bits
    return bits or 0.0
