"""The store on servers as others run them: a cluster, and a Redis with TLS and a password."""

import subprocess
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from broker_classifier.errors import ConfigError
from broker_classifier.store import UNKNOWN
from broker_classifier.store.valkey import ValkeyStore
from tests.certificates import certificates
from tests.kafka_streets import wait_until
from tests.store.test_valkey import record
from tests.valkey_servers import redis_program, server, valkey_program

NAMES = [f"object {i}" for i in range(50)]


def test_a_cluster_is_one_store(tmp_path):
    with ExitStack() as stack:
        nodes = [
            stack.enter_context(server(tmp_path / str(i), "--cluster-enabled", "yes"))
            for i in range(3)
        ]
        cli = Path(valkey_program()).with_name("valkey-cli")
        places = [f"127.0.0.1:{node.port}" for node in nodes]
        command = [str(cli), "--cluster", "create", *places, "--cluster-yes"]
        subprocess.run(command, check=True, capture_output=True)
        wait_until(
            lambda: all(n.client().cluster("info")["cluster_state"] == "ok" for n in nodes),
            "the cluster",
        )
        url = nodes[0].url.removesuffix("/0")
        with closing(ValkeyStore(url)) as store, closing(ValkeyStore(url)) as other:
            new = dict.fromkeys(NAMES, record(1))
            assert store.put(new, dict.fromkeys(NAMES, 0), 0.0) == set()
            store.flush()
            assert other.read([*NAMES, "nobody"]) == [record(1)] * 50 + [UNKNOWN]
            assert len(other) == 50
            assert sorted(other.names()) == sorted(NAMES)
            newer = dict.fromkeys(NAMES[:2], record(2))
            expected = dict(zip(NAMES, (1, 7), strict=False))
            assert other.put(newer, expected, 0.0) == {NAMES[1]}
            other.flush()


@pytest.fixture(scope="module")
def secured(tmp_path_factory):
    folder = tmp_path_factory.mktemp("redis")
    made = certificates(folder / "certificates")
    files = ["--tls-cert-file", str(made.certificate), "--tls-key-file", str(made.key)]
    authority = ["--tls-ca-cert-file", str(made.authority), "--tls-auth-clients", "no"]
    tls = ["--tls-port", "0", *files, *authority, "--requirepass", "open sesame"]
    with server(folder, *tls, program=redis_program()) as plain:
        plain.client_with("open sesame").config_set("tls-port", plain.tls_port)
        yield plain, made


def test_a_redis_with_tls_and_a_password_is_a_store(secured):
    plain, made = secured
    url = f"rediss://127.0.0.1:{plain.tls_port}/0"
    client = {"ssl_ca_certs": str(made.authority)}
    with closing(ValkeyStore(url, password="open sesame", client=client)) as store:
        assert store.put({"a": record(1)}, {"a": 0}, 0.0) == set()
        store.flush()
        assert store.read(["a"]) == [record(1)]
    with pytest.raises(ConfigError, match="certificate"):
        ValkeyStore(url, password="open sesame")
