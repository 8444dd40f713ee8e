import pytest

from tests.kafka_sources import ADVICE, kafka_sources, obtain_kafka, output_of


@pytest.fixture
def programs(monkeypatch, tmp_path):
    """A PATH with only what the test writes into it, and no variable that names a Kafka."""
    for name in ("KAFKA_BOOTSTRAP", "KAFKA_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    obtain_kafka.cache_clear()
    yield lambda name, script: write_program(tmp_path / name, script)
    obtain_kafka.cache_clear()


def write_program(path, script):
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


def test_a_running_broker_comes_first_but_is_never_one_to_crash(monkeypatch):
    monkeypatch.setenv("KAFKA_BOOTSTRAP", "kafka.example:9092")
    assert next(kafka_sources()).bootstrap_servers == "kafka.example:9092"
    assert all(source.bootstrap_servers is None for source in kafka_sources(own=True))


def test_an_unpacked_distribution_comes_next(programs, monkeypatch, tmp_path):
    programs("java", "echo 'openjdk version \"17.0.1\"' >&2")
    monkeypatch.setenv("KAFKA_HOME", str(tmp_path))
    assert next(kafka_sources()).libs == tmp_path / "libs"


def test_java_before_17_does_not_count(programs, monkeypatch, tmp_path):
    programs("java", "echo 'openjdk version \"11.0.1\"' >&2")
    monkeypatch.setenv("KAFKA_HOME", str(tmp_path))
    assert next(kafka_sources(), None) is None


def test_where_maven_cannot_fetch_the_jars_docker_is_taken(programs, monkeypatch, tmp_path):
    monkeypatch.setattr("tests.kafka_sources.TOP", tmp_path / "a" / "clone")
    programs("java", "echo 'openjdk version \"21\"' >&2")
    programs("mvn", "exit 1")
    programs("docker", "echo 'Server Version: 28'")
    maven, docker = kafka_sources()
    assert maven.pom is not None
    assert docker.image is not None
    assert obtain_kafka() == docker


def test_jars_that_maven_fetched_are_kept_for_the_next_time(programs, monkeypatch, tmp_path):
    monkeypatch.setattr("tests.kafka_sources.TOP", tmp_path / "a" / "clone")
    programs("java", "echo 'openjdk version \"21\"' >&2")
    folder = 'for word; do folder="${word#-DoutputDirectory=}"; done'
    programs("mvn", f'{folder}; PATH=/bin; mkdir -p "$folder"; : > "$folder/kafka_2.13-4.1.1.jar"')
    first = obtain_kafka()
    programs("mvn", "exit 1")
    obtain_kafka.cache_clear()
    assert first is not None
    assert obtain_kafka() == first


def test_with_nothing_installed_there_is_none_and_the_advice_names_every_way(programs):
    assert list(kafka_sources()) == []
    for way in ("KAFKA_BOOTSTRAP", "KAFKA_HOME", "Java 17+", "Maven", "Docker"):
        assert way in ADVICE


def test_a_program_that_hangs_counts_as_missing(programs):
    programs("java", "while :; do :; done")
    assert output_of(["java", "-version"], timeout_s=0.2) == ""
