"""Secrets are shown nowhere, whatever fails: each is unmistakable, and looked for in all output."""

import os
import subprocess
import sys
import traceback
import urllib.error
import urllib.request

import pytest
from structlog.testing import capture_logs

from broker_classifier.cli.load_settings import load_settings
from broker_classifier.config.kafka import KafkaSettings
from broker_classifier.config.secrets import HIDDEN
from broker_classifier.config.store import StoreSettings
from broker_classifier.errors import BrokerError
from broker_classifier.service.serve import open_store
from broker_classifier.streams.kafka_sink import KafkaSink
from broker_classifier.streams.kafka_source import KafkaSource
from broker_classifier.surveys.avro.schema_registry import registry_schemas
from tests.kafka_streets import read_topic, send, service, wait_until
from tests.secured_kafka import USER, secured_kafka
from tests.valkey_servers import server

VARIABLE = "PASSWORD_OF_KAFKA"
WORD = "xyzzy-4711"
"""All that is secret has it."""
AWAY = "127.0.0.1:1"


def told(step, *arguments, **options):
    """Do what must fail; return all that its traceback shows."""
    try:
        step(*arguments, **options)
    except BrokerError as error:
        return "".join(traceback.format_exception(error))
    pytest.fail("nothing failed")


@pytest.mark.parametrize(
    "settings",
    [
        f'[kafka]\nclient = "{WORD}"',
        f'[kafka.client]\n"sasl.password" = ["{WORD}"]',
        f'[kafka.client]\n"sasl.password" = {{ text = "{WORD}" }}',
        f'[kafka.client]\n"sasl.password" = {{ file = "a", variable = "{WORD}" }}',
        f'[kafka.client]\n"sasl.password" = "{WORD}"\n"group.id" = "{WORD}"',
        f'[kafka.client]\n"sasl.password" = {WORD}',
        f'[surveys.ztf]\nclient = "{WORD}"',
        f'[surveys.lsst]\nschema_registry = ["{WORD}"]',
        f'[store]\npassword = ["{WORD}"]\npath = ["valkey://:{WORD}@store"]',
        f'[store]\nclient = "{WORD}"',
        f'[lasair]\nlsst_token = "{WORD}\\n"',
        f'[lasair]\nztf_token = "\u2019{WORD}"',
        f'[annotate.ztf]\ntoken = ["{WORD}"]',
        f'[web]\ntoken = {{ name = "{WORD}" }}',
    ],
)
def test_settings_that_are_refused_do_not_quote_a_secret(settings, tmp_path):
    path = tmp_path / "settings.toml"
    path.write_text(settings)
    assert WORD not in told(load_settings, path)


@pytest.mark.parametrize("variable", ["KAFKA__CLIENT", "STORE", "SURVEYS__ZTF__CLIENT", "LASAIR"])
def test_variables_that_are_refused_do_not_quote_a_secret(variable, monkeypatch):
    monkeypatch.setenv(f"BROKER_{variable}", f'{{"password": "{WORD}"')
    assert WORD not in told(load_settings)


@pytest.mark.parametrize(
    "client",
    [
        {"sasl.password": WORD, "sasl.mechanism": "SCRAM-5", "security.protocol": "SASL_SSL"},
        {"sasl.password": WORD, "no.such": 1},
        {"ssl.key.pem": WORD, "security.protocol": "SSL"},
        {"ssl.certificate.pem": WORD, "security.protocol": "SSL"},
        {"ssl.key.location": "/dev/null", "ssl.key.password": WORD, "security.protocol": "SSL"},
        {"sasl.oauthbearer.client.secret": WORD, "sasl.oauthbearer.method": "oid"},
    ],
)
def test_what_kafkas_client_refuses_does_not_quote_a_secret(client):
    settings = KafkaSettings(bootstrap_servers=AWAY, client=client)
    assert WORD not in repr(settings) + repr(settings.model_dump()) + told(KafkaSink, settings)


def test_what_kafkas_client_reports_does_not_quote_a_secret():
    client = {
        "security.protocol": "SASL_PLAINTEXT",
        "sasl.mechanism": "OAUTHBEARER",
        "enable.sasl.oauthbearer.unsecure.jwt": True,
        "sasl.oauthbearer.config": WORD,
    }
    with capture_logs() as logs:
        settings = KafkaSettings(bootstrap_servers=AWAY, client=client)
        source = KafkaSource(settings, {"ztf": ["a"]})
        wait_until(lambda: source.poll() or logs, "a report")
        source.close()
    assert HIDDEN in str(logs)
    assert WORD not in str(logs)


def test_a_store_that_refuses_or_is_away_does_not_quote_a_password(tmp_path):
    with server(tmp_path, "--requirepass", "open sesame") as started:
        address = started.url.partition("://")[2]
        wrong = [
            {"path": started.url, "password": WORD},
            {"path": f"valkey://:{WORD}@{address}"},
            {"path": f"valkey://us:{WORD}/1@{address}"},
            {"path": f"valkey://us:{WORD}@1@{address}"},
            {"path": f"valkey://us:{WORD}@{AWAY}/0"},
            {"path": f"valkey://us:{WORD}@{address[:-1]}x"},
            {"path": started.url, "client": {"password": WORD}},
            {"path": started.url, "client": {"no_such": WORD}},
        ]
        for settings in wrong:
            assert WORD not in told(open_store, StoreSettings(**settings))


@pytest.mark.parametrize("url", [f"https://us:{WORD}@{AWAY}", f"us:{WORD}@nowhere", f"//{WORD}@"])
def test_a_schema_registry_that_is_away_does_not_quote_its_password(url):
    def fetch():
        registry_schemas(url).schema(7)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("time.sleep", lambda _: None)
        assert WORD not in told(fetch)


def everywhere(kafka, registry, store_password):
    """Settings with a secret in every place where one may be given; Kafka refuses its password."""
    return f"""
        [kafka.client]
        "sasl.password" = "{WORD}-unused"
        "session.timeout.ms" = 6000
        [kafka.output_client]
        "ssl.key.password" = "{WORD}-output"
        [surveys.ztf]
        group_id = "refused"
        bootstrap_servers = "{kafka.sasl}"
        [surveys.ztf.client]
        "security.protocol" = "SASL_SSL"
        "ssl.ca.location" = "{kafka.certificates.authority}"
        "sasl.mechanism" = "SCRAM-SHA-512"
        "sasl.username" = "{USER}"
        "sasl.password" = {{ variable = "{VARIABLE}" }}
        [surveys.lsst]
        topics = ["{registry}"]
        schema_registry = "http://us:{WORD}-registry@{AWAY}"
        [store]
        password = {{ file = "{store_password}" }}
        [lasair]
        lsst_token = "{WORD}-lasair"
        ztf_token = "{WORD}-lasair"
        ztf_endpoint = "http://{AWAY}/api"
        [annotate.ztf]
        token = "{WORD}-annotate"
        [web]
        token = "{WORD}-web"
    """


def test_no_output_of_a_service_and_its_commands_shows_a_secret(tmp_path, unique):
    """A Kafka refuses it, a bad message comes, the registry is away, store and Kafka go."""
    password, toml = tmp_path / "password", tmp_path / "settings.toml"
    password.write_text(f"{WORD}-store")
    framed = f"lsst_{unique}"
    with (
        secured_kafka(tmp_path / "secured") as kafka,
        server(tmp_path / "valkey", "--requirepass", f"{WORD}-store") as store,
    ):
        servers = kafka.broker.bootstrap_servers
        toml.write_text(everywhere(kafka, framed, password))
        variables = {
            VARIABLE: f"{WORD}-wrong",
            "BROKER_KAFKA__CLIENT": f'{{"sasl.password": "{WORD}-variable"}}',
            "BROKER_STORE__PATH": store.url,
            "BROKER_SURVEYS__LASAIR__TOPICS": f'["lasair_{unique}"]',
            "BROKER_LOG__LEVEL": "debug",
        }
        options = ["--config", str(toml)]
        with service(servers, unique, tmp_path, *options, **variables) as running:
            send(servers, f"lasair_{unique}", [b"no row", b'{"objectId": "ZTF1"}'])
            [letter, _] = read_topic(servers, running.dead_letters, 2)
            send(servers, framed, [b"\0\0\0\x04\x4d" + bytes(100)])
            wait_until(lambda: "Schema Registry" in running.log(), "the registry")
            store.kill()
            kafka.broker.crash()
            said = output_of_commands(running.environment | variables, toml)
            wait_until(lambda: "kafka is away" in running.log(), "Kafka to be missed")
            pages = "".join(page(running.url(path)) for path in ("/metrics", "/health"))
            log = running.log()
    shown = log + pages + said + str(letter.headers)
    for part in ("uthentication", "broker_input_connected", "ztf", "JSON", "dead letter"):
        assert part in shown
    assert WORD not in shown


def output_of_commands(environment, toml):
    """All that commands print which need what is refused, or show settings."""
    whole = os.environ | environment | {"BROKER_STORE__PASSWORD": f"{WORD}-wrong"}
    here = ["--bootstrap-servers", AWAY, "--config", str(toml)]
    commands = [
        ["settings"],
        ["serve", "--config", str(toml)],
        ["subscribe", *here, "--idle-timeout", "1"],
    ]
    programs = [[sys.executable, "-m", "broker_classifier.cli", *words] for words in commands]
    how = {"env": whole, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    running = [subprocess.Popen(program, **how) for program in programs]
    return "".join(process.communicate(timeout=60)[0] for process in running)


def page(url):
    try:
        with urllib.request.urlopen(url) as answer:
            return str(answer.headers) + answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return str(error.headers) + error.read().decode()
