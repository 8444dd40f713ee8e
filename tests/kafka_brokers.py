"""A real Apache Kafka for the tests: how to start, stop and crash it."""

import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient, NewTopic

from tests.kafka_sources import KafkaSource
from tests.ports import free_port

CLUSTER_ID = "5L6g3nShT-eMCtK--X86sw"
START_TIMEOUT_S = 60.0
STOP_TIMEOUT_S = 30.0


class KafkaNotStarted(RuntimeError):
    """A broker that was found did not come up; the message has the end of its log."""


class Launcher(Protocol):
    """Something that runs one broker on one port, again and again on the same data."""

    def start(self, port: int) -> None: ...
    def is_alive(self) -> bool: ...
    def stop(self) -> None: ...
    def kill(self) -> None: ...
    def pause(self) -> None: ...
    def resume(self) -> None: ...
    def close(self) -> None: ...
    def log(self) -> str: ...
    @property
    def pid(self) -> int: ...


class RealKafka:
    """One real broker, the tests' counterpart of `streams.embedded_kafka.EmbeddedKafka`.

    Parameters
    ----------
    bootstrap_servers : str
        Where clients connect to.
    launcher : Launcher or None
        What runs it; None for a broker that somebody else runs, which cannot be stopped.
    """

    def __init__(self, bootstrap_servers: str, launcher: Launcher | None = None) -> None:
        self.bootstrap_servers = bootstrap_servers
        self._launcher = launcher

    def create_topic(self, name: str, partitions: int = 1, **config: str) -> None:
        """Create a topic that does not exist yet."""
        admin = AdminClient({"bootstrap.servers": self.bootstrap_servers})
        [created] = admin.create_topics([NewTopic(name, partitions, 1, config=config)]).values()
        created.result(timeout=START_TIMEOUT_S)

    def stop_broker(self) -> None:
        """Shut the broker down in good order; its data stay."""
        self._launched.stop()

    def crash(self) -> None:
        """Kill the broker as a power cut would."""
        self._launched.kill()

    def pause(self) -> None:
        """Let it fall silent, with its connections open."""
        self._launched.pause()

    def resume(self) -> None:
        """Let it go on after `pause`."""
        self._launched.resume()

    def restart_broker(self) -> None:
        """Start it again on the same port and data, and wait until it answers."""
        self._launched.start(int(self.bootstrap_servers.rpartition(":")[2]))
        wait_until_ready(self.bootstrap_servers, self._launched)

    @property
    def pid(self) -> int:
        """Its process, as this machine numbers it."""
        return self._launched.pid

    @property
    def _launched(self) -> Launcher:
        assert self._launcher is not None, "a broker given by KAFKA_BOOTSTRAP cannot be stopped"
        return self._launcher


class JarBroker:
    """Runs Kafka from a folder of jars as a child process, with its data and log in `folder`.

    `more` are settings of the broker beside the usual, `scram` its users and their passwords.
    """

    def __init__(
        self,
        libs: Path,
        folder: Path,
        more: Mapping[str, str] | None = None,
        scram: Mapping[str, str] | None = None,
    ) -> None:
        self._more, self._scram = dict(more or {}), dict(scram or {})
        self._java = ["java", "-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"]
        self._java += ["-Dorg.slf4j.simpleLogger.defaultLogLevel=warn", "-cp", f"{libs}/*"]
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, port: int) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        settings = self._folder / "server.properties"
        own = "".join(f"{key}={value}\n" for key, value in self._more.items())
        settings.write_text(server_properties(port, self._folder / "data") + own)
        with (self._folder / "broker.log").open("ab") as log:
            if not (self._folder / "data" / "meta.properties").exists():
                tool = [*self._java, "kafka.tools.StorageTool", "format"]
                arguments = ["-t", CLUSTER_ID, "-c", str(settings)]
                for user, password in self._scram.items():
                    arguments += ["-S", f"SCRAM-SHA-512=[name={user},password={password}]"]
                subprocess.run([*tool, *arguments], stdout=log, stderr=log, check=True)
            command = [*self._java, "kafka.Kafka", str(settings)]
            self._process = subprocess.Popen(command, stdout=log, stderr=log)

    def is_alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def stop(self) -> None:
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        self._end(signal.SIGKILL)

    def pause(self) -> None:
        self._send(signal.SIGSTOP)

    def resume(self) -> None:
        self._send(signal.SIGCONT)

    def _send(self, number: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(number)

    def close(self) -> None:
        self.kill()

    def log(self) -> str:
        return (self._folder / "broker.log").read_text(errors="replace")

    def _end(self, how: signal.Signals) -> None:
        if self._process is None:
            return
        self._process.send_signal(how)
        try:
            self._process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


class DockerBroker:
    """Runs Kafka's own image; its data live as long as the container."""

    def __init__(self, image: str, more: Mapping[str, str] | None = None) -> None:
        self._image, self._more = image, dict(more or {})
        self._container = ""

    def start(self, port: int) -> None:
        if self._container:
            docker("start", self._container)
            return
        properties = server_properties(port, Path("/tmp/kafka-data"), listen="0.0.0.0")
        settings = [*(line.split("=", 1) for line in properties.splitlines()), *self._more.items()]
        variables = [f"KAFKA_{key.upper().replace('.', '_')}={value}" for key, value in settings]
        environment = [word for variable in variables for word in ("--env", variable)]
        publish = ["--publish", f"127.0.0.1:{port}:{port}"]
        self._container = docker("run", "--detach", *publish, *environment, self._image)

    def is_alive(self) -> bool:
        running = docker("inspect", "--format", "{{.State.Running}}", self._container)
        return running == "true"

    @property
    def pid(self) -> int:
        return int(docker("inspect", "--format", "{{.State.Pid}}", self._container))

    def stop(self) -> None:
        docker("stop", self._container)

    def kill(self) -> None:
        docker("kill", self._container)

    def pause(self) -> None:
        docker("pause", self._container)

    def resume(self) -> None:
        docker("unpause", self._container)

    def close(self) -> None:
        if self._container:
            docker("rm", "--force", "--volumes", self._container)

    def log(self) -> str:
        return docker("logs", self._container)


@contextmanager
def running_kafka(
    source: KafkaSource, folder: Path, more: Mapping[str, str] | None = None
) -> Iterator[RealKafka]:
    """Run a broker for the length of a block; its data and log go into `folder`.

    `more` are settings of the broker beside the usual.
    """
    if source.bootstrap_servers:
        wait_until_ready(source.bootstrap_servers)
        yield RealKafka(source.bootstrap_servers)
        return
    launcher: Launcher = (
        JarBroker(source.libs, folder, more)
        if source.libs
        else DockerBroker(str(source.image), more)
    )
    port = free_port(2)  # the controller has the second
    try:
        launcher.start(port)
        wait_until_ready(f"127.0.0.1:{port}", launcher)
        yield RealKafka(f"127.0.0.1:{port}", launcher)
    finally:
        launcher.close()


def wait_until_ready(bootstrap_servers: str, launcher: Launcher | None = None) -> None:
    """Return when the broker answers; raise KafkaNotStarted when it ended or takes too long."""
    patience = {"reconnect.backoff.max.ms": 250, "log_level": 0}
    admin = AdminClient({"bootstrap.servers": bootstrap_servers, **patience})
    deadline = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < deadline and (launcher is None or launcher.is_alive()):
        try:
            if admin.list_topics(timeout=1.0).brokers:
                return
        except KafkaException:
            continue
    log = launcher.log()[-3000:] if launcher else ""
    msg = f"the Kafka at {bootstrap_servers} did not answer within {START_TIMEOUT_S:.0f} s\n{log}"
    raise KafkaNotStarted(msg)


def server_properties(port: int, data: Path, listen: str = "127.0.0.1") -> str:
    """Return the settings of a single-node KRaft broker that clients reach on loopback."""
    settings = {
        "process.roles": "broker,controller",
        "node.id": "1",
        "controller.quorum.voters": f"1@127.0.0.1:{port + 1}",
        "listeners": f"PLAINTEXT://{listen}:{port},CONTROLLER://127.0.0.1:{port + 1}",
        "advertised.listeners": f"PLAINTEXT://127.0.0.1:{port}",
        "controller.listener.names": "CONTROLLER",
        "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "log.dirs": str(data),
        "offsets.topic.replication.factor": "1",
        "offsets.topic.num.partitions": "4",
        "transaction.state.log.replication.factor": "1",
        "transaction.state.log.min.isr": "1",
        "transaction.state.log.num.partitions": "4",
        "share.coordinator.state.topic.replication.factor": "1",
        "share.coordinator.state.topic.min.isr": "1",
        "group.initial.rebalance.delay.ms": "0",
        # Everything is allowed but for what an access rule of a test forbids.
        "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        "allow.everyone.if.no.acl.found": "true",
        # A broker that was killed may register again only when its old session is over.
        "broker.heartbeat.interval.ms": "500",
        "broker.session.timeout.ms": "2000",
    }
    return "".join(f"{key}={value}\n" for key, value in settings.items())


def docker(*arguments: str) -> str:
    """Run a docker command and return what it printed."""
    command = ["docker", *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
