"""Kafka for the tests, embedded and real, and the folder of development data."""

import uuid
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog
from hypothesis import settings

from broker_classifier.streams.embedded_kafka import EmbeddedKafka, embedded_kafka
from tests.kafka_brokers import KafkaNotStarted, RealKafka, running_kafka
from tests.kafka_sources import ADVICE, TOP, kafka_sources, obtain_kafka

# The first example of a test may compile a loop; a deadline would measure that, or the neighbours.
settings.register_profile("project", deadline=None)
settings.load_profile("project")

KINDS = ["embedded", pytest.param("real", marks=pytest.mark.kafka)]


def pytest_report_header() -> str:
    source = next(kafka_sources(), None)
    return f"real Kafka: {source.name}" if source else f"real Kafka: none ({ADVICE})"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what runs on a real broker only; `kafka` and `own_kafka` mark their own half."""
    for item in items:
        fixtures = getattr(item, "fixturenames", ())
        if {"real_kafka", "own_real_kafka"} & set(fixtures):
            item.add_marker("kafka")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say once, not once a test, what is missing on this machine."""
    skipped = terminalreporter.stats.get("skipped", [])
    reasons = Counter(str(report.longrepr[2]).removeprefix("Skipped: ") for report in skipped)
    for reason, n_tests in reasons.items():
        terminalreporter.write_line(f"{n_tests} skipped: {reason}")


@pytest.fixture(scope="session")
def real_kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealKafka]:
    """A real broker for the whole session; leave it running."""
    yield from start_real_kafka(tmp_path_factory.mktemp("kafka"), own=False)


@pytest.fixture
def own_real_kafka(tmp_path: Path) -> Iterator[RealKafka]:
    """A real broker of this test's own, to stop and crash."""
    yield from start_real_kafka(tmp_path / "kafka", own=True)


@pytest.fixture(scope="session")
def session_embedded_kafka() -> Iterator[EmbeddedKafka]:
    """An embedded broker for the whole session; leave it running."""
    with embedded_kafka() as broker:
        yield broker


@pytest.fixture(params=KINDS)
def kafka(request: pytest.FixtureRequest) -> EmbeddedKafka | RealKafka:
    """A broker of either kind, so that the same test runs on both.

    It is shared by the session: name topics and groups with `unique`.
    """
    name = "real_kafka" if request.param == "real" else "session_embedded_kafka"
    broker: EmbeddedKafka | RealKafka = request.getfixturevalue(name)
    return broker


@pytest.fixture(params=KINDS)
def own_kafka(
    request: pytest.FixtureRequest, tmp_path: Path
) -> Iterator[EmbeddedKafka | RealKafka]:
    """A broker of either kind of this test's own, for `stop_broker` and `restart_broker`."""
    if request.param == "real":
        yield from start_real_kafka(tmp_path / "kafka", own=True)
        return
    with embedded_kafka() as broker:
        yield broker


@pytest.fixture(autouse=True)
def own_logs() -> Iterator[None]:
    """Let no test log into the closed output of one before it that configured the logs."""
    yield
    structlog.reset_defaults()


@pytest.fixture
def unique() -> str:
    """A word that no other test uses, for the names of topics and groups."""
    return uuid.uuid4().hex[:12]


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of development data, which is not part of the project."""
    folder = TOP.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("no development data: ../shared/data is absent")
    return folder


def start_real_kafka(folder: Path, *, own: bool) -> Iterator[RealKafka]:
    source = obtain_kafka(own=own)
    if source is None:
        pytest.skip(ADVICE)
    try:
        with running_kafka(source, folder) as broker:
            yield broker
    except KafkaNotStarted as error:
        pytest.fail(f"Kafka from {source.name} did not start: {error}")
