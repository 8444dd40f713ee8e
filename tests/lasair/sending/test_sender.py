"""How what waits is sent: batches, refusals, pauses, the budget; on a clock of its own."""

from itertools import pairwise

import pytest

from broker_classifier.lasair.annotation.write_annotation import annotation
from broker_classifier.lasair.rules import Said
from broker_classifier.lasair.sending import sender as sender_module
from broker_classifier.lasair.sending.budget import Budget
from broker_classifier.lasair.sending.client import Outcome, Reply
from broker_classifier.lasair.sending.outbox import Outbox
from broker_classifier.lasair.sending.outbox_rows import Item
from broker_classifier.lasair.sending.sender import BARRED_PAUSE_S, Sender
from tests.lasair.messages import answer, history_of

ACCEPTED = Reply(Outcome.ACCEPTED)
AWAY = Reply(Outcome.AWAY, "nobody answers")
FAILED = Reply(Outcome.FAILED, "Internal Server Error")
BAD_FIELD = Reply(Outcome.REFUSED, 'Bad Request:{"version": ["too long"]}')
BAD_ITEM = Reply(Outcome.REFUSED, 'Bad Request:{"error": "annotation 3: Data too long"}')


class Lasair:
    """Takes annotations into a dict, but for what it refuses; remembers the calls."""

    def __init__(self):
        self.has, self.calls, self.now = {}, [], 1e9
        self.refused, self.broken, self.replies = set(), set(), []
        self.bad_item = BAD_ITEM

    def send(self, annotations):
        ids = [item["objectId"] for item in annotations]
        self.calls.append((self.now, ids))
        if self.replies and (reply := self.replies.pop(0)) != ACCEPTED:
            return reply
        if self.broken & set(ids):
            return FAILED
        for item in annotations:
            if item["objectId"] in self.refused:
                return self.bad_item
            self.has[item["objectId"]] = item["classification"]
        return ACCEPTED


@pytest.fixture
def lasair():
    return Lasair()


@pytest.fixture
def outbox(tmp_path):
    return Outbox(tmp_path / "outbox.sqlite")


@pytest.fixture
def sender(lasair, outbox, monkeypatch):
    monkeypatch.setattr(sender_module.random, "uniform", lambda *_: 1.0)
    return Sender("ztf", outbox, lasair, Budget(50), 500, clock=lambda: lasair.now)


def name_of(number):
    return f"ZTF26{number:07d}"


def queue(outbox, lasair, numbers, bits=1.0, top_class="SNIa", wrong=None):
    for number in numbers:
        message = answer(top_class, object_id=name_of(number), bits=bits)
        made = annotation(message, history_of(message), "ztf", "mytopic") | (wrong or {})
        item = Item(0, name_of(number), made, Said.of(message), bits, lasair.now)
        outbox.queue("ztf", item)


def run(sender, lasair, seconds=60.0):
    """Let the sender work for so long of its clock."""
    end = lasair.now + seconds
    while lasair.now < end:
        lasair.now += sender.step() or 1e-3
    lasair.now = end


def test_all_that_waits_goes_in_one_call(sender, outbox, lasair):
    queue(outbox, lasair, range(300))
    run(sender, lasair)
    assert [len(ids) for _, ids in lasair.calls] == [300]
    assert (len(lasair.has), outbox.depth("ztf", lasair.now).n_waiting) == (300, 0)


def test_the_most_informative_go_first(sender, outbox, lasair):
    sender.batch_size = sender._size = 2
    for number, bits in enumerate([0.1, 2.0, 0.5, 1.0]):
        queue(outbox, lasair, [number], bits)
    run(sender, lasair)
    assert [ids for _, ids in lasair.calls] == [
        [name_of(1), name_of(3)],
        [name_of(2), name_of(0)],
    ]


@pytest.mark.parametrize("reply", [AWAY, FAILED])
def test_a_clock_that_is_set_back_does_not_make_a_pause_longer(sender, outbox, lasair, reply):
    lasair.replies = [reply]
    queue(outbox, lasair, [1])
    run(sender, lasair, 1.0)
    lasair.now -= 3600.0
    run(sender, lasair, 1.0)
    assert (len(lasair.calls), list(lasair.has)) == (2, [name_of(1)])


@pytest.mark.parametrize("refusal", [BAD_FIELD, BAD_ITEM])
@pytest.mark.parametrize("bad", [0, 7, 99])
def test_a_refused_batch_is_halved_down_to_the_annotation_at_fault(
    sender, outbox, lasair, refusal, bad
):
    lasair.refused, lasair.bad_item = {name_of(bad)}, refusal
    queue(outbox, lasair, range(100))
    run(sender, lasair, 7200.0)
    assert set(lasair.has) == {name_of(n) for n in range(100)} - {name_of(bad)}
    [(annotation, words, _)] = outbox.dead_letters("ztf")
    assert (annotation["objectId"], words) == (name_of(bad), refusal.words)
    assert len(lasair.calls) <= 20


def test_a_dead_letter_makes_place_for_a_newer_annotation_of_its_object(sender, outbox, lasair):
    lasair.refused = {name_of(1)}
    queue(outbox, lasair, range(3))
    run(sender, lasair, 600.0)
    lasair.refused = set()
    queue(outbox, lasair, [1], top_class="SNII")
    run(sender, lasair, 600.0)
    assert lasair.has[name_of(1)] == "SNII"
    assert outbox.dead_letters("ztf") == []


def test_an_accused_annotation_that_was_replaced_and_accepted_is_no_dead_letter(
    sender, outbox, lasair
):
    lasair.refused = {name_of(1)}
    queue(outbox, lasair, [1])
    run(sender, lasair, 10.0)
    lasair.refused = set()
    queue(outbox, lasair, [1, 2], top_class="SNII")
    run(sender, lasair, 600.0)
    assert lasair.has == {name_of(1): "SNII", name_of(2): "SNII"}
    assert outbox.dead_letters("ztf") == []


def test_an_annotation_that_is_refused_alone_is_given_up_after_a_while(sender, outbox, lasair):
    lasair.refused = {name_of(1)}
    queue(outbox, lasair, [1])
    run(sender, lasair, 7200.0)
    assert len(outbox.dead_letters("ztf")) == 1
    assert len(lasair.calls) == 5


def test_an_annotation_that_breaks_the_server_holds_up_no_other(sender, outbox, lasair):
    lasair.broken = {name_of(5)}
    queue(outbox, lasair, [5], bits=9.0)
    queue(outbox, lasair, range(6, 40))
    run(sender, lasair, 3 * 3600.0)
    assert len(lasair.has) == 34
    assert [words for _, words, _ in outbox.dead_letters("ztf")] == [FAILED.words]


@pytest.mark.parametrize("reply", [AWAY, FAILED, BAD_ITEM, Reply(Outcome.THROTTLED)])
def test_an_outage_of_any_kind_loses_nothing(sender, outbox, lasair, reply):
    queue(outbox, lasair, range(30))
    lasair.replies = [reply] * 60
    run(sender, lasair, 24 * 3600.0)
    assert (len(lasair.has), outbox.dead_letters("ztf")) == (30, [])


def test_pauses_double_up_to_five_minutes_and_end_with_the_outage(sender, outbox, lasair):
    queue(outbox, lasair, range(30))
    lasair.replies = [AWAY] * 12
    run(sender, lasair, 3600.0)
    times = [at for at, _ in lasair.calls]
    pauses = [round(later - at) for at, later in pairwise(times)]
    assert pauses == [2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300, 300]
    queue(outbox, lasair, [99])
    lasair.replies = [AWAY]
    run(sender, lasair, 10.0)
    assert name_of(99) in lasair.has


def test_a_refused_token_waits_for_a_person_and_says_so(sender, outbox, lasair):
    queue(outbox, lasair, range(30))
    lasair.replies = [Reply(Outcome.BARRED, "Unauthorized")]
    run(sender, lasair, BARRED_PAUSE_S - 1.0)
    assert len(lasair.calls) == 1
    assert sender.metrics.health() == (False, "Lasair of ztf: barred: Unauthorized")
    run(sender, lasair, 10.0)
    assert len(lasair.has) == 30
    assert sender.metrics.health() == (True, "ok")


def test_no_hour_has_more_calls_than_allowed(sender, outbox, lasair):
    sender.batch_size = sender._size = 1
    queue(outbox, lasair, range(200))
    run(sender, lasair, 4 * 3600.0)
    times = [at for at, _ in lasair.calls]
    assert len(times) == 200
    assert max(sum(at <= t < at + 3600 for t in times) for at in times) == 50


def test_calls_are_remembered_over_a_restart(sender, outbox, lasair):
    sender.batch_size = sender._size = 1
    queue(outbox, lasair, range(200))
    run(sender, lasair, 60.0)
    again = Sender("ztf", outbox, lasair, Budget(50), 1, clock=lambda: lasair.now)
    run(again, lasair, 60.0)
    assert len(lasair.calls) == 50
    assert again.metrics.held_back["ztf"]


def test_what_trickles_in_leaves_calls_for_the_rest_of_the_hour(sender, outbox, lasair):
    for minute in range(120):
        queue(outbox, lasair, [minute])
        run(sender, lasair, 60.0)
    run(sender, lasair, 150.0)
    times = [at for at, _ in lasair.calls]
    assert max(later - at for at, later in pairwise(times)) < 150.0
    assert len(lasair.has) == 120


def test_answers_that_come_all_the_time_hold_up_none(sender, outbox, lasair):
    for _ in range(20):
        queue(outbox, lasair, range(3))
        lasair.now += 0.1
        sender.step()
    assert len(lasair.calls) >= 2


def test_a_newer_annotation_that_came_during_the_call_goes_on_waiting(sender, outbox, lasair):
    queue(outbox, lasair, [1])
    [item] = outbox.due("ztf", lasair.now, 10)
    queue(outbox, lasair, [1], top_class="SNII")
    outbox.accepted("ztf", [item], lasair.now)
    run(sender, lasair)
    assert lasair.has == {name_of(1): "SNII"}


@pytest.mark.parametrize(
    "wrong",
    [
        {"classification": "it's"},
        {"classdict": {"SNIa": 0.5}},
        {"classdict": {"snia": float("nan")}},
        {"version": "a version that is too long"},
        {"explanation": 'a "quote"'},
        {"objectId": "3 OR 1=1"},
        {"topic": "my-topic"},
    ],
)
def test_poison_that_got_into_the_outbox_never_leaves_it(sender, outbox, lasair, wrong):
    queue(outbox, lasair, [1], wrong=wrong)
    queue(outbox, lasair, [2])
    run(sender, lasair)
    assert [ids for _, ids in lasair.calls] == [[name_of(2)]]
    [(_, words, _)] = outbox.dead_letters("ztf")
    assert words.startswith("never sent: ")
