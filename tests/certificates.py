"""A certificate authority of one test, and a certificate for 127.0.0.1, made with openssl."""

import subprocess
from pathlib import Path
from typing import NamedTuple

from tests.tools import program


class Certificates(NamedTuple):
    """PEM files: the authority, and a server's certificate and key."""

    authority: Path
    certificate: Path
    key: Path


def certificates(folder: Path) -> Certificates:
    """Make an authority and a certificate that it signed."""
    openssl = program("openssl", "openssl")
    folder.mkdir(parents=True, exist_ok=True)
    made = Certificates(folder / "ca.pem", folder / "server.pem", folder / "server.key")
    request, names, ca_key = folder / "server.csr", folder / "names", folder / "ca.key"
    names.write_text("subjectAltName=IP:127.0.0.1,DNS:localhost\n")
    new = ["-newkey", "rsa:2048", "-nodes", "-days", "2"]
    signing = ["-CA", made.authority, "-CAkey", ca_key, "-CAcreateserial", "-days", "2"]
    for arguments in (
        ["req", "-x509", *new, "-keyout", ca_key, "-out", made.authority, "-subj", "/CN=test"],
        ["req", *new[:3], "-keyout", made.key, "-out", request, "-subj", "/CN=localhost"],
        ["x509", "-req", "-in", request, "-extfile", names, *signing, "-out", made.certificate],
    ):
        command = [openssl, *map(str, arguments)]
        subprocess.run(command, check=True, capture_output=True)
    return made
