"""A real Kafka that asks for a password or a certificate, over TLS; and a server of tokens."""

import base64
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.certificates import Certificates, certificates
from tests.http_server import Request, Response, http_server
from tests.kafka_brokers import JarBroker, RealKafka, wait_until_ready
from tests.kafka_sources import obtain_kafka
from tests.ports import free_port

USER, PASSWORD = "worker", "open-sesame-9b1c"
_MODULES = "org.apache.kafka.common.security"
_LOGINS = {
    "plain": f'{_MODULES}.plain.PlainLoginModule required user_{USER}="{PASSWORD}";',
    "scram-sha-512": f"{_MODULES}.scram.ScramLoginModule required;",
    "oauthbearer": f"{_MODULES}.oauthbearer.OAuthBearerLoginModule required "
    'unsecuredLoginStringClaim_sub="broker";',
}


class SecuredKafka(NamedTuple):
    """The broker, and the addresses of its listeners.

    `broker.bootstrap_servers` is one without any security, for what a test does itself.
    """

    broker: RealKafka
    sasl: str
    tls: str
    certificates: Certificates

    def client(self, **settings: Any) -> dict[str, Any]:
        """Settings of a client of the SASL listener; `sasl_password` stands for sasl.password."""
        own = {name.replace("_", "."): value for name, value in settings.items()}
        authority = {"ssl.ca.location": str(self.certificates.authority)}
        return {"security.protocol": "SASL_SSL"} | authority | own


@contextmanager
def secured_kafka(folder: Path) -> Iterator[SecuredKafka]:
    """Run one; skip the test where Kafka is not to be had as jars."""
    source = obtain_kafka(own=True)
    if source is None or source.libs is None:
        pytest.skip("no jars of Kafka, which a broker with certificates is started from")
    made = certificates(folder / "certificates")
    port, sasl, tls = free_port(2), free_port(), free_port()
    settings = _settings(port, sasl, tls, made)
    launcher = JarBroker(source.libs, folder / "kafka", settings, {USER: PASSWORD})
    try:
        launcher.start(port)
        wait_until_ready(f"127.0.0.1:{port}", launcher)
        broker = RealKafka(f"127.0.0.1:{port}", launcher)
        yield SecuredKafka(broker, f"127.0.0.1:{sasl}", f"127.0.0.1:{tls}", made)
    finally:
        launcher.close()


def _settings(port: int, sasl: int, tls: int, made: Certificates) -> dict[str, str]:
    keys = made.key.with_name("keystore.pem")
    keys.write_text(made.key.read_text() + made.certificate.read_text())
    listeners = f"PLAINTEXT://127.0.0.1:{port},SASL_SSL://127.0.0.1:{sasl},SSL://127.0.0.1:{tls}"
    logins = {
        f"listener.name.sasl_ssl.{mechanism}.sasl.jaas.config": login
        for mechanism, login in _LOGINS.items()
    }
    return logins | {
        "listeners": f"{listeners},CONTROLLER://127.0.0.1:{port + 1}",
        "advertised.listeners": listeners,
        "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,"
        "SASL_SSL:SASL_SSL,SSL:SSL",
        "sasl.enabled.mechanisms": ",".join(_LOGINS).upper(),
        "listener.name.ssl.ssl.client.auth": "required",
        "ssl.keystore.type": "PEM",
        "ssl.keystore.location": str(keys),
        "ssl.truststore.type": "PEM",
        "ssl.truststore.location": str(made.authority),
    }


@contextmanager
def token_server(client_secret: str) -> Iterator[str]:
    """Answer like an OIDC server that gives a token to who knows the secret; yield its address."""

    def respond(request: Request) -> Response:
        _, _, encoded = request.headers["Authorization"].partition(" ")
        if base64.b64decode(encoded) == f"{USER}:{client_secret}".encode():
            return Response(200, json.dumps({"access_token": unsecured_token()}))
        return Response(401, json.dumps({"error": "invalid_client"}))

    with http_server(respond) as address:
        yield f"{address}/token"


def unsecured_token() -> str:
    """A token that is signed by nobody, as Kafka takes it where it is told of no keys."""
    now = int(time.time())
    parts = {"alg": "none"}, {"sub": USER, "iat": now, "exp": now + 600}
    encoded = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=") for part in parts]
    return b".".join([*encoded, b""]).decode()
