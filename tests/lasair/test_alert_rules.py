"""The alert rules of the annotator, tried by Prometheus's own tool."""

import json
import re
import subprocess

import pytest

from broker_classifier.lasair.sending.metrics import AnnotateMetrics, OutboxCollector
from broker_classifier.lasair.sending.outbox import Outbox
from tests.kafka_sources import TOP
from tests.tools import program

RULES = TOP / "deploy" / "prometheus" / "annotator.rules.yml"
OUTBOX = 'broker_annotate_outbox{survey="ztf"}'
AGE = 'broker_annotate_outbox_age_seconds{survey="ztf"}'
REFUSED = 'broker_annotations_total{survey="ztf",outcome="refused"}'
BARRED = 'broker_annotate_calls_total{survey="ztf",outcome="barred"}'


def promtool(*arguments):
    command = [program("promtool", "prometheus"), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def raised(tmp_path, series, at="6h"):
    """Return which of all alerts promtool finds raised by these series."""
    names = re.findall(r"alert: (\w+)", RULES.read_text())
    given = [{"series": name, "values": values} for name, values in series.items()]
    none = [{"eval_time": at, "alertname": name, "exp_alerts": []} for name in names]
    test = {"interval": "5m", "input_series": given, "alert_rule_test": none}
    file = tmp_path / "test.json"
    file.write_text(json.dumps({"rule_files": [str(RULES)], "tests": [test]}))
    tested = promtool("test", "rules", file)
    return set(re.findall(r"alertname: (\w+)", tested.stdout + tested.stderr))


def test_promtool_finds_nothing_wrong_with_the_rules():
    checked = promtool("check", "rules", RULES)
    assert checked.returncode == 0, checked.stderr


@pytest.mark.parametrize(
    ("series", "alerts"),
    [
        ({OUTBOX: "0x100", AGE: "0x100", REFUSED: "0x100", BARRED: "0x100"}, set()),
        ({OUTBOX: "2000+100x100"}, {"AnnotationOutboxGrows"}),
        ({OUTBOX: "20000-100x100"}, set()),
        ({OUTBOX: "0+5x100"}, set()),
        ({OUTBOX: "5x100", AGE: "30000x100"}, {"AnnotationOutboxOld"}),
        ({OUTBOX: "5x100", REFUSED: "0x68 1x30"}, {"AnnotationsRefused"}),
        ({OUTBOX: "5x100", BARRED: "0+1x100"}, {"AnnotatorBarred"}),
        ({REFUSED: "0x100"}, {"AnnotatorDown"}),
    ],
)
def test_an_alert_is_raised_when_it_should_be_and_no_other(tmp_path, series, alerts):
    assert raised(tmp_path, series) == alerts


def test_the_rules_ask_for_metrics_that_there_are(tmp_path):
    metrics = AnnotateMetrics()
    metrics.annotations.labels("ztf", "refused")
    metrics.calls.labels("ztf", "barred")
    metrics.registry.register(
        OutboxCollector(lambda: Outbox(tmp_path / "outbox.sqlite"), {"ztf": 50}, metrics)
    )
    exposed = {sample.name for metric in metrics.registry.collect() for sample in metric.samples}
    asked_for = set(re.findall(r"\bbroker_\w+", RULES.read_text()))
    assert asked_for <= exposed
