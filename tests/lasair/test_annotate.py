"""The annotator as a process: from a message on our topic to Lasair's database."""

import time

import pytest

from broker_classifier.streams.embedded_kafka import embedded_kafka
from tests.kafka_streets import wait_until
from tests.lasair.annotate_process import TOKENS, Annotating
from tests.lasair.fake_lasair import FakeLasair, served
from tests.lasair.messages import value

ZTF_ID, LSST_ID = "ZTF26aaaaaaa", "313637921267122191"


@pytest.fixture
def lasairs(monkeypatch):
    monkeypatch.setenv("no_proxy", "*")
    with served(FakeLasair("ztf")) as ztf, served(FakeLasair("lsst")) as lsst:
        yield {"ztf": ztf, "lsst": lsst}


@pytest.fixture
def annotating(session_embedded_kafka, unique, lasairs, tmp_path):
    topic = f"classifications-{unique}"
    session_embedded_kafka.create_topic(topic, 4)
    process = Annotating(
        session_embedded_kafka.bootstrap_servers, topic, tmp_path, lasairs.values()
    )
    process.start()
    yield process
    process.kill()


def classification(lasair, object_id):
    return lasair.annotations().get(object_id, {}).get("classification")


def test_both_lasairs_have_an_answer_two_seconds_after_it_was_published(annotating, lasairs):
    wait_until(lambda: annotating.page("health") == (200, "ok\n"), "health")
    for top_class in ("SNIa", "SNII"):
        days = float(top_class == "SNII")
        messages = [
            value(top_class, object_id=ZTF_ID, days=days),
            value(top_class, object_id=LSST_ID, survey="lsst", days=days),
        ]
        published = time.time()
        annotating.publish(messages)
        for survey, name in (("ztf", ZTF_ID), ("lsst", LSST_ID)):
            wait_until(
                lambda s=survey, n=name, c=top_class: classification(lasairs[s], n) == c, "Lasair"
            )
            assert lasairs[survey].arrived[-1][0] - published < 2.0
    assert lasairs["lsst"].annotations()[LSST_ID]["classdict"]["previous_class"] == "snia"


def test_the_books_are_shown_and_the_token_nowhere(annotating, lasairs):
    lasairs["ztf"].poison = lambda item: "Data too long" if item["objectId"].endswith("b") else None
    names = ("ZTF26aaaaaaa", "ZTF26aaaaaab")
    annotating.publish([value(object_id=name) for name in names])
    wait_until(lambda: classification(lasairs["ztf"], names[0]), "Lasair")

    def refused():
        return 'broker_annotations_total{outcome="refused",survey="ztf"} 1.0' in metrics()

    def metrics():
        return annotating.page("metrics")[1]

    wait_until(refused, "the refusal")
    page = metrics()
    assert 'broker_annotations_total{outcome="accepted",survey="ztf"} 1.0' in page
    assert 'broker_annotate_dead_letters{survey="ztf"} 1.0' in page
    assert 'broker_annotate_outbox{survey="ztf"} 0.0' in page
    n_left = 50 - len(lasairs["ztf"].calls)
    assert f'broker_annotate_calls_left{{survey="ztf"}} {float(n_left)}' in page
    shown = annotating.run("annotations", "refused").stdout
    assert "Data too long" in shown
    compared = annotating.run("annotations", "compare", "--survey", "ztf")
    assert (compared.returncode, compared.stdout.splitlines()) == (
        0,
        ['{"survey":"ztf","equal":1,"missing":0,"different":0,"unknown":0}'],
    )
    assert annotating.stop() == 0
    everything = page + shown + compared.stdout + compared.stderr + annotating.log()
    assert not any(token in everything for token in TOKENS.values())


def test_what_lasair_lost_is_found_and_sent_again(annotating, lasairs):
    annotating.publish([value(object_id=ZTF_ID)])
    wait_until(lambda: classification(lasairs["ztf"], ZTF_ID), "Lasair")
    lasairs["ztf"].database.execute("DELETE FROM annotations")
    compared = annotating.run("annotations", "compare", "--survey", "ztf", "--repair")
    assert (compared.returncode, compared.stderr) == (1, "1 queued again\n")
    wait_until(lambda: classification(lasairs["ztf"], ZTF_ID), "Lasair, again")


def test_a_second_annotator_on_the_same_outbox_is_refused(annotating):
    second = annotating.run("annotate")
    assert second.returncode == 2
    assert "another process annotates from" in second.stderr


def test_without_a_token_it_is_off(session_embedded_kafka, tmp_path):
    process = Annotating(session_embedded_kafka.bootstrap_servers, "none", tmp_path, [])
    process.environment["BROKER_ANNOTATE__ZTF__TOPIC"] = "mytopic"
    process.start()
    assert process.exit_code() == 0
    assert "nothing is annotated" in process.log()


def test_it_waits_for_a_topic_and_for_kafka_and_goes_on_by_itself(lasairs, unique, tmp_path):
    with embedded_kafka() as kafka:
        process = Annotating(kafka.bootstrap_servers, "later", tmp_path, [lasairs["ztf"]])
        process.start()
        try:
            kafka.create_topic("later")
            process.publish([value(object_id=ZTF_ID)])
            wait_until(lambda: classification(lasairs["ztf"], ZTF_ID) == "SNIa", "Lasair")
            kafka.stop_broker()
            kafka.restart_broker()
            process.publish([value("SNII", object_id=ZTF_ID, days=1.0)])
            wait_until(lambda: classification(lasairs["ztf"], ZTF_ID) == "SNII", "Lasair")
        finally:
            process.kill()
