"""Where a bundle in shadow differs from the live one: what is compared, what the numbers say."""

import json
from contextlib import closing
from typing import NamedTuple

import pytest
from typer.testing import CliRunner

from broker_classifier.cli.main import app
from broker_classifier.config.kafka import KafkaSettings
from broker_classifier.errors import DataError
from broker_classifier.streams.agreement import agreements, read_agreements
from broker_classifier.streams.brief_answers import BriefAnswers
from broker_classifier.streams.kafka_sink import KafkaSink
from broker_classifier.streams.message import Outgoing

LIVE, SHADOW = "ztf-transients:0.5.0", "ztf-transients:0.6.0"
SURE, UNSURE = {"SNIa": 0.9, "TDE": 0.1}, {"SNIa": 0.4, "TDE": 0.6}


class Sent(NamedTuple):
    """A message as Kafka's client gives it."""

    outgoing: Outgoing
    at_ms: int

    def headers(self):
        return [(name, value.encode()) for name, value in self.outgoing.headers.items()]

    def value(self):
        return self.outgoing.value

    def timestamp(self):
        return 1, self.at_ms


def told(
    alert_id, bundle, probabilities, *, topic="t", version=1, points=3, survey="ztf", revised=False
):
    top = max(probabilities, key=probabilities.__getitem__)
    content = {"object_id": f"ZTF{alert_id}", "class": top, "n_points_used": points}
    headers = {
        "id": f"{alert_id}:{bundle}",
        "survey": survey,
        "curve_version": str(version),
        "revised": str(revised).lower(),
    }
    value = json.dumps(content | {"probabilities": probabilities}).encode()
    return Outgoing(topic, content["object_id"].encode(), value, headers)


def compared(lives, shadows, live_ms=None, shadow_ms=None):
    """Compare answers published at these times; if they are not given, all at once."""
    shadow_answers = entered(BriefAnswers(), shadows, shadow_ms)
    return agreements(entered(BriefAnswers(shadow_answers.alerts), lives, live_ms), shadow_answers)


def entered(answers, messages, at_ms=None):
    for message, at in zip(messages, at_ms or [1] * len(messages), strict=True):
        answers.enter(Sent(message, at))
    return answers


def test_of_each_id_the_highest_version_is_compared_whatever_came_last():
    lives = [told(1, LIVE, UNSURE, version=v) for v in (1, 3)]
    lives[1:1] = [told(1, LIVE, SURE, version=5, revised=True)]
    [agreement] = compared(lives, [told(1, SHADOW, SURE)])
    assert (agreement.live, agreement.shadow) == (LIVE, SHADOW)
    assert [(pair.alert, pair.distance) for pair in agreement.pairs] == [(("ztf", 1), 0.0)]


def test_the_distance_is_half_the_sum_of_differences_and_a_missing_class_is_0():
    shadows = [
        told(1, SHADOW, UNSURE),
        told(2, SHADOW, {"SNIa": 0.5, "KN": 0.5}),
        told(3, SHADOW, {"KN": 1.0}),
    ]
    [agreement] = compared([told(n, LIVE, SURE) for n in (1, 2, 3)], shadows)
    distances = {pair.alert[1]: pair.distance for pair in agreement.pairs}
    assert distances == pytest.approx({3: 1.0, 1: 0.5, 2: (0.4 + 0.1 + 0.5) / 2})
    assert agreement.pairs[0].alert[1] == 3


def test_rows_count_by_class_and_points_of_the_live_answer_and_add_up():
    lives = [told(n, LIVE, SURE, points=n) for n in (1, 2, 3, 4, 25)]
    lives += [told(6, LIVE, UNSURE, points=1)]
    shadows = [told(n, SHADOW, UNSURE if n < 3 else SURE, points=9) for n in (1, 2, 3, 4, 25)]
    [agreement] = compared(lives, [*shadows, told(6, SHADOW, UNSURE)])
    rows = {row[:2]: row[2:] for row in agreement.rows()}
    right = {
        ("all", "all"): (6, 2, 1 / 6, 0.5),
        ("SNIa", "all"): (5, 2, 0.2, 0.5),
        ("SNIa", "1"): (1, 1, 0.5, 0.5),
        ("SNIa", "2"): (1, 1, 0.5, 0.5),
        ("SNIa", "3-5"): (2, 0, 0.0, 0.0),
        ("SNIa", "21+"): (1, 0, 0.0, 0.0),
        ("TDE", "all"): (1, 0, 0.0, 0.0),
        ("TDE", "1"): (1, 0, 0.0, 0.0),
    }
    assert list(rows) == list(right)
    assert list(rows.values()) == [pytest.approx(row) for row in right.values()]


def test_alerts_that_only_one_answered_count_while_the_shadow_ran():
    lives = [told(n, LIVE, SURE) for n in (1, 2, 3, 4, 5)]
    lives += [told(1, LIVE, SURE, revised=True, version=9)]
    shadows = [told(n, SHADOW, SURE) for n in (2, 7, 4)]
    live_ms, shadow_ms = [100, 200, 300, 400, 500, 250], [200, 300, 400]
    [agreement] = compared(lives, shadows, live_ms, shadow_ms)
    assert [pair.alert[1] for pair in agreement.pairs] == [2, 4]
    assert (agreement.n_live_only, agreement.n_shadow_only) == (1, 1)


def test_a_bundle_is_compared_with_those_of_its_name_or_with_all_that_answered_its_alerts():
    lives = [told(1, bundle, SURE) for bundle in (LIVE, "ztf-kilonovae:1")]
    lives += [told(1, "lsst-transients:1", SURE, survey="lsst")]
    named = compared(lives, [told(1, SHADOW, SURE)])
    other = compared(lives, [told(1, "new:1", SURE)])
    assert [agreement.live for agreement in named] == [LIVE]
    assert [agreement.live for agreement in other] == ["ztf-kilonovae:1", LIVE]


def test_what_is_no_answer_is_left_out_and_counted():
    whole, empty = told(1, LIVE, SURE), told(2, LIVE, SURE)
    bare = Outgoing("t", None, b"{}", {})
    broken = [Outgoing("t", None, b"", empty.headers), bare, told("x", LIVE, SURE)]
    answers = entered(BriefAnswers(), [whole, *broken])
    assert answers.alerts == {("ztf", 1)}
    assert answers.n_unread == 3


@pytest.fixture
def topics(kafka, unique):
    names = f"live-{unique}", f"shadow-{unique}"
    for name in names:
        kafka.create_topic(name, partitions=2)
    return names


def publish(kafka, messages):
    settings = KafkaSettings(bootstrap_servers=kafka.bootstrap_servers)
    with closing(KafkaSink(settings)) as sink:
        sink.publish(messages)
    return settings


def test_both_topics_are_read_to_their_ends_and_the_command_says_where_they_differ(kafka, topics):
    live, shadow = topics
    messages = [told(n, LIVE, SURE, topic=live) for n in range(20)]
    messages += [told(n, SHADOW, UNSURE if n == 7 else SURE, topic=shadow) for n in range(20)]
    settings = publish(kafka, messages)
    [agreement] = read_agreements(settings, live, shadow)
    assert (len(agreement.pairs), agreement.rows()[0].n_other_class) == (20, 1)
    of_topics = ["--topic", live, "--shadow-topic", shadow]
    servers = ["--bootstrap-servers", kafka.bootstrap_servers]
    shown = CliRunner().invoke(app, ["agree", *servers, *of_topics, "--largest", "1"])
    assert f"{LIVE}, and in shadow {SHADOW}: 20 alerts answered by both" in shown.output
    assert shown.output.splitlines()[-1].split() == [
        *("ZTF7", "7", "3", "SNIa", "0.90", "TDE", "0.60", "0.500")
    ]
    as_json = CliRunner().invoke(app, ["agree", *servers, *of_topics, "--json"])
    content = json.loads(as_json.output)
    assert content["by_class_and_points"][0]["n_alerts"] == content["n_both"] == 20
    assert content["largest_differences"][0]["alert_id"] == "7"


def test_a_topic_that_is_missing_or_empty_is_named_with_what_to_do(kafka, topics, unique):
    live, shadow = topics
    settings = publish(kafka, [told(1, LIVE, SURE, topic=live)])
    with pytest.raises(DataError, match=rf"answered on {shadow}: give one shadow = true"):
        read_agreements(settings, live, shadow)
    with pytest.raises(DataError, match=f"no topic none-{unique}"):
        read_agreements(settings, live, f"none-{unique}")
    publish(kafka, [told(2, SHADOW, SURE, topic=shadow)])
    with pytest.raises(DataError, match=f"no alert with an answer on {shadow} has one on {live}"):
        read_agreements(settings, live, shadow)
