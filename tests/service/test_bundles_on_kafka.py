"""Two live bundles and one in shadow on a real Kafka, in transactions; seen by another client."""

import json
from collections import Counter

from typer.testing import CliRunner

from broker_classifier.cli.main import app
from tests.bundles import small_bundle
from tests.kafka_streets import read_topic, send, service
from tests.ztf_packets import flare

NIGHT = [packet for name in ("ZTF1", "ZTF2") for packet in flare(name, n=14)]


def models_of(messages):
    return Counter(dict(message.headers)["model"].decode() for message in messages)


def test_each_alert_has_an_answer_of_each_bundle_and_the_new_one_is_compared_in_shadow(
    real_kafka, unique, tmp_path
):
    real_kafka.create_topic(f"ztf_{unique}", partitions=2)
    small_bundle(tmp_path / "small")
    new = {"name": str(tmp_path / "small"), "shadow": True}
    shadow, n = f"shadow-{unique}", len(NIGHT)
    variables = {
        "BROKER_SURVEYS__ZTF__BUNDLES": json.dumps(["ztf-transients", "ztf-kilonovae", new]),
        "BROKER_KAFKA__SHADOW_TOPIC": shadow,
        "BROKER_KAFKA__DELIVERY": "exactly_once",
    }
    with service(real_kafka.bootstrap_servers, unique, tmp_path, **variables) as worker:
        send(worker.bootstrap_servers, worker.input, NIGHT + NIGHT[:5])
        counts = worker.wait_for(received=n + 5)
        answers = {k: v for k, v in worker.metrics().items() if "broker_answers_total" in k}
        live = read_topic(worker.bootstrap_servers, worker.output, 2 * n)
        hidden = read_topic(worker.bootstrap_servers, shadow, n)
    assert (counts["classified"], counts["duplicate"]) == (n, 5)
    assert models_of(live) == {"ztf-transients": n, "ztf-kilonovae": n}
    assert models_of(hidden) == {"small": n}
    assert len({dict(message.headers)["id"] for message in [*live, *hidden]}) == 3 * n
    assert sum(answers.values()) == 3 * n
    topics = ["--topic", worker.output, "--shadow-topic", shadow]
    servers = ["--bootstrap-servers", worker.bootstrap_servers]
    shown = CliRunner().invoke(app, ["agree", *servers, *topics, "--json"])
    compared = [json.loads(line) for line in shown.output.splitlines()]
    assert [agreement["live"].split(":")[0] for agreement in compared] == [
        *("ztf-kilonovae", "ztf-transients")
    ]
    assert {agreement["n_both"] for agreement in compared} == {n}
