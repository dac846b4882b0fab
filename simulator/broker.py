"""The broker that a command of the simulator speaks to, and the options that name it."""

import os
from pathlib import Path
from typing import Annotated, NamedTuple

import typer

from simulator.publish import Tls

PASSWORD_VARIABLE = "STADTFUNK_MQTT__PASSWORD"  # noqa: S105 - the variable's name, not a password

Host = Annotated[str, typer.Option(help="Broker's host.")]
Port = Annotated[int, typer.Option(min=1, max=65535, help="Broker's port.")]
Username = Annotated[str | None, typer.Option(help=f"Broker account; its password is ${PASSWORD_VARIABLE}.")]
WithTls = Annotated[bool, typer.Option("--tls", help="Encrypt; implied by each of the three files.")]
CaFile = Annotated[Path | None, typer.Option(help="Certificates to trust (PEM).")]
CertificateFile = Annotated[Path | None, typer.Option(help="Client certificate (PEM).")]
KeyFile = Annotated[Path | None, typer.Option(help="Client key (PEM).")]
TestBroker = Annotated[
    bool, typer.Option("--test-broker", help="Do not look first whether the broker has uplinks of real devices.")
]


class Broker(NamedTuple):
    """Where a broker is, who asks, and over TLS with which files (None: unencrypted)."""

    host: str
    port: int
    username: str | None
    tls: Tls | None

    @classmethod
    def of(cls, host: str, port: int, username: str | None, files: Tls, *, tls: bool) -> "Broker":
        """As the options say it: any file means TLS; raises typer.BadParameter for a key without its certificate."""
        if files.key_file is not None and files.certificate_file is None:
            raise typer.BadParameter("--key-file needs --certificate-file")
        return cls(host, port, username, files if tls or any(files) else None)

    @property
    def password(self) -> str | None:
        """From the environment, never from an argument, which every user of the machine could read."""
        return os.environ.get(PASSWORD_VARIABLE)
