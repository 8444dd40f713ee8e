"""Which Kafka is asked for what, and with whose password."""

import pytest

from broker_classifier.config import Settings
from broker_classifier.config.secrets import plain
from broker_classifier.errors import ConfigError, OutputUnavailableError
from broker_classifier.service.open_kafka import delivery_of, inputs_of, worker_name

OURS = {
    "bootstrap_servers": "ours:9092",
    "client": {"sasl.password": "reading"},
    "output_client": {"sasl.password": "writing"},
}


def settings(delivery="auto", **surveys):
    tables = {name: {"topics": [name]} | table for name, table in surveys.items()}
    return Settings(kafka=OURS | {"delivery": delivery}, surveys=tables)


def test_streams_that_say_nothing_are_read_together_from_ours():
    ((kafka, topics),) = inputs_of(settings(ztf={}, lsst={}))
    assert topics == {"ztf": ("ztf",), "lsst": ("lsst",)}
    assert (kafka.bootstrap_servers, kafka.group_id) == ("ours:9092", "broker-classifier")
    assert plain(kafka.client) == {"sasl.password": "reading"}


def test_a_password_goes_to_the_kafka_that_it_is_for_and_to_no_other():
    lsst = {"bootstrap_servers": "survey:9092", "client": {"sasl.password": "survey's"}}
    open_to_all = {"bootstrap_servers": "lasair:9092", "group_id": "mine"}
    given = settings(ztf={}, lsst=lsst, lasair=open_to_all)
    clients = {kafka.bootstrap_servers: plain(kafka.client) for kafka, _ in inputs_of(given)}
    assert clients == {
        "ours:9092": {"sasl.password": "reading"},
        "survey:9092": {"sasl.password": "survey's"},
        "lasair:9092": {},
    }
    assert plain(given.kafka.output.client) == {"sasl.password": "writing"}
    assert [kafka.group_id for kafka, _ in inputs_of(given)][-1] == "mine"


def test_what_is_ours_cannot_be_set_for_a_stream():
    with pytest.raises(ValueError, match=r"transactional\.id cannot be set here"):
        settings(ztf={"client": {"transactional.id": "x"}})


def test_alerts_of_another_kafka_are_answered_at_least_once():
    given = settings(ztf={"bootstrap_servers": "survey:9092"})
    assert delivery_of(given, inputs_of(given)) == "at_least_once"


def test_exactly_once_over_two_kafkas_is_refused_with_their_names():
    given = settings("exactly_once", ztf={"bootstrap_servers": "survey:9092"})
    with pytest.raises(ConfigError, match=r"survey:9092, results go to ours:9092"):
        delivery_of(given, inputs_of(given))


def test_a_kafka_that_is_away_is_waited_for_before_it_is_decided():
    address = {"bootstrap_servers": "127.0.0.1:1", "delivery": "exactly_once"}
    given = Settings(kafka=address, surveys={"ztf": {}})
    with pytest.raises(OutputUnavailableError, match=r"127\.0\.0\.1:1 does not answer"):
        delivery_of(given, inputs_of(given))


def test_the_embedded_kafka_has_no_transactions(session_embedded_kafka):
    servers = session_embedded_kafka.bootstrap_servers
    given = Settings(kafka={"bootstrap_servers": servers, "delivery": "exactly_once"})
    with pytest.raises(ConfigError, match="embedded Kafka has no transactions"):
        delivery_of(given, inputs_of(given))
    given = Settings(kafka={"bootstrap_servers": servers})
    assert delivery_of(given, inputs_of(given)) == "at_least_once"


@pytest.mark.parametrize("asked", ["auto", "exactly_once", "at_least_once"])
def test_a_real_kafka_has_transactions(real_kafka, asked):
    given = Settings(kafka={"bootstrap_servers": real_kafka.bootstrap_servers, "delivery": asked})
    right = "exactly_once" if asked == "auto" else asked
    assert delivery_of(given, inputs_of(given)) == right


def test_workers_on_one_machine_have_names_of_their_own_that_they_get_again(unique):
    kafka = Settings(kafka={"group_id": unique}).kafka
    with worker_name(kafka) as first, worker_name(kafka) as second:
        assert first != second
    with worker_name(kafka) as again:
        assert again == first
    with worker_name(kafka.model_copy(update={"worker": "mine"})) as named:
        assert named == "mine"
