"""A day without Lasair, on a clock of its own: worked off by information, within the budget."""

import random

import pytest

from broker_classifier.config.lasair import AnnotateSettings, AnnotatorSettings
from broker_classifier.lasair.intake import Intake
from broker_classifier.lasair.sending.budget import Budget
from broker_classifier.lasair.sending.client import Outcome, Reply
from broker_classifier.lasair.sending.outbox import Outbox
from broker_classifier.lasair.sending.sender import Sender
from tests.lasair.messages import value

HOUR_S, DAY_S = 3600.0, 86400.0
CALLS_PER_HOUR, BATCH, N_OBJECTS = 10, 20, 1000


class Lasair:
    """Away for the first day; then it takes all, and notes when it took what."""

    def __init__(self):
        self.now = self.start = 1.8e9
        self.calls, self.bits, self.has = [], [], {}

    def send(self, annotations):
        self.calls.append(self.now)
        if self.now < self.start + DAY_S:
            return Reply(Outcome.AWAY, "Connection refused")
        self.bits += [annotation["classdict"]["bits"] for annotation in annotations]
        self.has |= {
            annotation["objectId"]: annotation["classdict"]["alert_id"]
            for annotation in annotations
        }
        return Reply(Outcome.ACCEPTED)


@pytest.fixture
def lasair():
    return Lasair()


def test_a_days_outage_is_worked_off_by_information_within_the_budget(lasair, tmp_path):
    outbox, rng = Outbox(tmp_path / "outbox.sqlite"), random.Random(1)
    annotators = {"ztf": AnnotatorSettings(topic="mytopic")}
    intake = Intake(outbox, annotators, AnnotateSettings(), clock=lambda: lasair.now)
    budget = Budget(CALLS_PER_HOUR)
    sender = Sender("ztf", outbox, lasair, budget, BATCH, clock=lambda: lasair.now)
    latest = {}
    for hour in range(24):
        values = []
        for _ in range(2 * N_OBJECTS // 24):
            name = f"ZTF26{rng.randrange(N_OBJECTS):07d}"
            days, bits = hour + rng.random() / 2, rng.uniform(0, 3)
            values.append(value(object_id=name, days=days, bits=bits))
            if days >= latest.get(name, (0, ""))[0]:
                latest[name] = days, str(round(1e6 * (1000 + days)))
        intake.enter(values, "cluster", "topic", {0: hour})
        run(sender, lasair, HOUR_S)
    n_waiting = outbox.depth("ztf", lasair.now).n_waiting
    assert n_waiting == len(latest) > 500
    run(sender, lasair, DAY_S)
    assert lasair.has == {name: alert_id for name, (_, alert_id) in latest.items()}
    assert lasair.bits == sorted(lasair.bits, reverse=True)
    calls = lasair.calls
    assert max(sum(at <= t < at + HOUR_S for t in calls) for at in calls) <= CALLS_PER_HOUR


def run(sender, lasair, seconds):
    end = lasair.now + seconds
    while lasair.now < end:
        lasair.now = min(end, lasair.now + (sender.step() or 1e-3))
