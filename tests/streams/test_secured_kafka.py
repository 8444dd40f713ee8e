"""Kafka with SASL over TLS, and with certificates: they open it, and nothing else does."""

import pytest
from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient
from structlog.testing import capture_logs

from broker_classifier.config.kafka import KafkaSettings
from broker_classifier.errors import OutputUnavailableError
from broker_classifier.streams.kafka_clients import client_settings
from broker_classifier.streams.kafka_sink import KafkaSink
from broker_classifier.streams.kafka_source import KafkaSource
from broker_classifier.streams.message import Outgoing
from tests.kafka_streets import send, service, wait_until
from tests.secured_kafka import PASSWORD, USER, secured_kafka, token_server
from tests.ztf_packets import flare

pytestmark = pytest.mark.kafka
LOGIN = {"sasl_username": USER, "sasl_password": PASSWORD}
CLIENT_SECRET = "client-secret-77ae"


@pytest.fixture(scope="module")
def kafka(tmp_path_factory):
    with secured_kafka(tmp_path_factory.mktemp("secured")) as started:
        yield started


@pytest.fixture(scope="module")
def tokens():
    with token_server(CLIENT_SECRET) as url:
        yield url


def oidc(url, secret):
    return {
        "sasl.mechanism": "OAUTHBEARER",
        "sasl.oauthbearer.method": "oidc",
        "sasl.oauthbearer.client.id": USER,
        "sasl.oauthbearer.client.secret": secret,
        "sasl.oauthbearer.token.endpoint.url": url,
    }


def unsecured():
    return {
        "sasl.mechanism": "OAUTHBEARER",
        "enable.sasl.oauthbearer.unsecure.jwt": True,
        "sasl.oauthbearer.config": f"principal={USER}",
    }


def assert_writes_and_reads(address, client, topic):
    settings = KafkaSettings(bootstrap_servers=address, group_id=topic, client=client)
    KafkaSink(settings, [topic]).publish([Outgoing(topic, b"key", b"value")])
    source = KafkaSource(settings, {"ztf": [topic]})
    [message] = wait_until(source.poll, "the message")
    source.close()
    assert message.value == b"value"


@pytest.mark.parametrize("mechanism", ["PLAIN", "SCRAM-SHA-512"])
def test_a_password_opens_it(kafka, unique, mechanism):
    client = kafka.client(sasl_mechanism=mechanism, **LOGIN)
    assert_writes_and_reads(kafka.sasl, client, unique)


def test_an_unsecured_token_opens_it(kafka, unique):
    assert_writes_and_reads(kafka.sasl, kafka.client() | unsecured(), unique)


def test_a_token_of_an_oidc_server_opens_it(kafka, tokens, unique):
    assert_writes_and_reads(kafka.sasl, kafka.client() | oidc(tokens, CLIENT_SECRET), unique)


def test_a_certificate_opens_it(kafka, unique):
    made = kafka.certificates
    client = {
        "security.protocol": "SSL",
        "ssl.ca.location": str(made.authority),
        "ssl.certificate.location": str(made.certificate),
        "ssl.key.location": str(made.key),
    }
    assert_writes_and_reads(kafka.tls, client, unique)
    nobody = {name: client[name] for name in ("security.protocol", "ssl.ca.location")}
    admin = AdminClient(client_settings(KafkaSettings(bootstrap_servers=kafka.tls, client=nobody)))
    with pytest.raises(KafkaException):
        admin.list_topics(timeout=2.0)


@pytest.mark.parametrize("wrong", ["password", "authority", "client secret"])
def test_what_is_refused_says_why_and_waits(kafka, tokens, unique, wrong):
    client = (
        kafka.client(sasl_mechanism="PLAIN", **LOGIN)
        | {
            "password": {"sasl.password": "shibboleth-4e1d"},
            "authority": {"ssl.ca.location": str(kafka.certificates.certificate)},
            "client secret": oidc(tokens, "shibboleth-4e1d"),
        }[wrong]
    )
    said = {
        "password": "uthentication",
        "authority": "certificate",
        "client secret": "invalid_client",
    }[wrong]
    settings = KafkaSettings(bootstrap_servers=kafka.sasl, client=client, delivery_timeout_s=1.0)
    with capture_logs() as logs:
        sink = KafkaSink(settings)
        with pytest.raises(OutputUnavailableError, match="did not confirm 1 messages"):
            sink.publish([Outgoing(unique, None, b"value")])
    reasons = [entry["reason"] for entry in logs if entry["event"] == "kafka reports"]
    assert [said in reason for reason in reasons] == [True]  # once a minute
    assert "shibboleth-4e1d" not in str(logs)


def test_a_service_reads_and_writes_with_a_password_from_a_file(kafka, unique, tmp_path):
    secret = tmp_path / "password"
    secret.write_text(f"{PASSWORD}\n")
    (tmp_path / "settings.toml").write_text(f"""
        [kafka.client]
        "security.protocol" = "SASL_SSL"
        "ssl.ca.location" = "{kafka.certificates.authority}"
        "sasl.mechanism" = "SCRAM-SHA-512"
        "sasl.username" = {{ variable = "KAFKA_USER" }}
        "sasl.password" = {{ file = "{secret}" }}
    """)
    variables = {"KAFKA_USER": USER, "BROKER_KAFKA__CLIENT": "{}"}
    options = ["--config", str(tmp_path / "settings.toml")]
    with service(kafka.sasl, unique, tmp_path, *options, **variables) as running:
        send(kafka.broker.bootstrap_servers, running.input, flare("ZTF1", n=3))
        assert running.wait_for(received=3)["classified"] == 3
        assert "exactly_once" in running.log()
        assert PASSWORD not in running.log()
