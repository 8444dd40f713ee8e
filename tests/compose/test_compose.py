"""docker-compose.yml, really run: a simulated night through Kafka and the classifier."""

import json
import time
from urllib.request import urlopen

import pytest
from kafka import KafkaConsumer

pytestmark = [pytest.mark.compose, pytest.mark.slow, pytest.mark.timeout(1500)]
NIGHT_TIMEOUT_S = 240.0
N_BEFORE_RESTART = 50


@pytest.fixture(scope="module")
def expected(project):
    """What becomes of the demo's night on the same street without Kafka."""
    demo = ("--profile", "demo", "run", "--rm", "--no-deps")
    project.compose(*demo, "simulator")
    printed = project.compose(*demo, "replayer", "classify", "/night", "--output", "/tmp/night")
    return json.loads(printed.splitlines()[-1])


@pytest.fixture
def classifications(project):
    """An independent client on the host, at the beginning of the classification topic."""
    consumer = KafkaConsumer(
        "classifications",
        bootstrap_servers=project.bootstrap_servers,
        auto_offset_reset="earliest",
        enable_auto_commit=False,
        group_id=None,
    )
    yield consumer
    consumer.close()


def read(consumer, messages, n_wanted):
    """Add to `messages` what comes, by alert, until there are enough or no more time."""
    deadline = time.monotonic() + NIGHT_TIMEOUT_S
    while len(messages) < n_wanted and time.monotonic() < deadline:
        for records in consumer.poll(timeout_ms=500).values():
            parsed = [json.loads(record.value) for record in records]
            messages |= {message["alert_id"]: message for message in parsed}


def test_a_restart_in_the_middle_of_a_night_loses_nothing(project, expected, classifications):
    messages = {}
    project.compose("--profile", "demo", "up", "--detach", "replayer", "subscriber")
    read(classifications, messages, N_BEFORE_RESTART)
    project.compose("restart", "classifier")
    assert N_BEFORE_RESTART <= len(messages) < expected["classified"]
    read(classifications, messages, expected["classified"])
    assert len(messages) == expected["classified"]
    assert all(abs(sum(m["probabilities"].values()) - 1) < 1e-5 for m in messages.values())


def test_the_subscriber_shows_objects_of_the_night(project, expected):
    shown = project.compose("--profile", "demo", "logs", "--no-log-prefix", "subscriber")
    assert "ZTF26sim" in shown


def test_the_page_shows_the_night_and_that_all_is_well(project, expected):
    with urlopen(f"{project.page_url}/api/objects?limit=1", timeout=10) as answer:
        assert json.load(answer)["rows"][0]["object_id"].startswith("ZTF26sim")
    with urlopen(f"{project.page_url}/api/health", timeout=10) as answer:
        [service] = json.load(answer)["services"]
    assert service["sentence"].startswith("All is well")


def test_health_and_metrics_are_published_on_the_host(project):
    with urlopen(f"{project.metrics_url}/health", timeout=10) as answer:
        assert answer.status == 200
    with urlopen(f"{project.metrics_url}/metrics", timeout=10) as answer:
        assert b"\nbroker_alerts_received_total " in answer.read()


def test_the_classifier_is_no_root_and_cannot_write_to_its_image(project):
    container = project.compose("ps", "--quiet", "classifier")
    assert project.compose("exec", "-T", "classifier", "id", "-u") != "0"
    host = json.loads(project.docker("inspect", container))[0]["HostConfig"]
    assert host["ReadonlyRootfs"]
    assert host["CapDrop"] == ["ALL"]
    assert "no-new-privileges:true" in host["SecurityOpt"]


def test_a_stop_is_graceful(project):
    project.compose("stop", "classifier")
    container = project.compose("ps", "--all", "--quiet", "classifier")
    state = json.loads(project.docker("inspect", container))[0]["State"]
    project.compose("start", "classifier")
    assert state["ExitCode"] == 0


def test_the_image_carries_no_cuda_and_stays_below_2_gb(project):
    image = "broker-classifier:local"
    listing = "from importlib.metadata import distributions as d; print(*[x.name for x in d()])"
    packages = project.docker("run", "--rm", "--entrypoint", "python", image, "-c", listing)
    assert "torch" in packages.split()
    assert not [name for name in packages.split() if name.startswith(("nvidia", "cuda", "triton"))]
    assert json.loads(project.docker("inspect", image))[0]["Size"] < 2e9
