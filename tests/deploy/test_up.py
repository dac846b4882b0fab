"""`deploy/up` with a Docker that only writes down what it is asked."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

DEPLOY = Path(__file__).parents[2] / "deploy"
DOUBLE = """#!/bin/sh
printf '%s\\n' "$*" >>"$SAID"
case "$*" in
*"run --rm --no-TTY provision") [ -n "${NO_TOKENS:-}" ] || printf 'service-token\\nreader-token\\nopen-token\\n' ;;
info) [ -z "${NO_ENGINE:-}" ] ;;
*"up --detach --wait") [ -z "${SICK:-}" ] ;;
esac
"""


class Machine:
    """A checkout's folder `deploy`, and a PATH with the double in front."""

    def __init__(self, folder: Path) -> None:
        self.deploy = folder / "deploy"
        shutil.copytree(DEPLOY, self.deploy, ignore=shutil.ignore_patterns("state", ".env", "dashboards"))
        programs = folder / "bin"
        programs.mkdir()
        (programs / "docker").write_text(DOUBLE)
        (programs / "docker").chmod(0o755)
        self.said = folder / "said"
        self.environment = {**os.environ, "PATH": f"{programs}:{os.environ['PATH']}", "SAID": str(self.said)}
        self.environment.pop("STADTFUNK_STATE", None)

    def up(self, *words: str, **circumstances: str) -> subprocess.CompletedProcess[str]:
        """Run it."""
        self.said.write_text("")
        environment = {**self.environment, **circumstances}
        command = [str(self.deploy / "up"), *words]
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)

    def asked(self) -> list[str]:
        """What Docker was asked, without the questions whether it is there."""
        return [line for line in self.said.read_text().splitlines() if line not in {"compose version", "info"}]


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """A machine on which nothing ran yet."""
    return Machine(tmp_path)


def test_the_first_start_makes_all_and_the_second_keeps_it(machine: Machine) -> None:
    """Certificates, passwords and tokens are made once; what is printed holds none of them."""
    first = machine.up("--host", "lora.example", "--bind", "192.0.2.10")
    assert (first.returncode, first.stderr) == (0, "")
    assert machine.asked()[:3] == [
        "compose build",
        "compose up --detach --wait influxdb",
        "compose run --rm --no-TTY provision",
    ]
    state = machine.deploy / "state"
    assert (state / "stadtfunk" / "secrets" / "influxdb__token").read_text() == "service-token"
    assert (state / "grafana" / "reader").read_text() == "reader-token"
    assert (state / "grafana" / "open").read_text() == "open-token"
    assert "STADTFUNK_BIND=192.0.2.10" in (machine.deploy / ".env").read_text()
    kept = {path: path.read_bytes() for path in state.rglob("*") if path.is_file()}
    again = machine.up()
    assert again.returncode == 0
    assert not [line for line in machine.asked() if line.endswith("provision")]
    assert {path: path.read_bytes() for path in state.rglob("*") if path.is_file()} == kept
    assert "192.0.2.10:8883" in again.stdout
    secrets = [body.decode() for path, body in kept.items() if path.suffix != ".crt" and path.name != "names"]
    assert len(secrets) > 10
    assert not [secret for secret in secrets if secret.strip() in first.stdout + first.stderr]


def test_secrets_are_closed_and_no_two_are_alike(machine: Machine) -> None:
    """The folder belongs to its owner alone; each password is long and its own."""
    machine.up()
    state = machine.deploy / "state"
    assert state.stat().st_mode & 0o777 == 0o700
    assert (state / "authority" / "ca.key").stat().st_mode & 0o777 == 0o600
    made = [path.read_text() for path in sorted(state.glob("*/*")) if path.is_file() and "." not in path.name]
    passwords = [text for text in made if "\n" not in text and text not in {"reader-token", "open-token"}]
    assert min(map(len, passwords)) >= 44
    assert len(set(passwords)) == len(passwords) - 2, "ChirpStack is given those of its two databases"


def test_state_stays_where_it_is(machine: Machine, tmp_path: Path) -> None:
    """Where it was put once, later starts and `credentials` find it: a second authority would lock all gateways out."""
    elsewhere = tmp_path / "elsewhere"
    machine.up(STADTFUNK_STATE=str(elsewhere))
    kept = (elsewhere / "authority" / "ca.crt").read_bytes()
    assert machine.up().returncode == 0
    environment = {key: value for key, value in os.environ.items() if key != "STADTFUNK_STATE"}
    command = [str(machine.deploy / "credentials"), "gateway", "0016c001f153a14c"]
    made = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert made.stdout.startswith(f"{elsewhere}/gateways/"), made.stderr
    assert not (machine.deploy / "state").exists()
    assert (elsewhere / "authority" / "ca.crt").read_bytes() == kept
    assert f"STADTFUNK_STATE={elsewhere}\n" in (machine.deploy / ".env").read_text()


def test_alerts_link_their_runbooks(machine: Machine) -> None:
    """With the address that is given; without one no alert has a link that leads nowhere. Grafana reads them anew."""
    rules = machine.deploy / "state" / "grafana" / "alerting" / "stadtfunk.yaml"
    machine.up()
    assert "runbook_url" not in rules.read_text()
    assert "runbook: docs/runbooks/flood.md" in rules.read_text()
    machine.up("--docs", "https://docs.example/stadtfunk/")
    assert "compose rm --stop --force grafana" in machine.asked()
    assert "runbook_url: https://docs.example/stadtfunk/runbooks/flood.html" in rules.read_text()
    assert "DOCS_URL" not in rules.read_text()
    assert rules.stat().st_mode & 0o777 == 0o644
    kept = rules.read_bytes()
    machine.up()
    assert "compose rm --stop --force grafana" not in machine.asked()
    assert rules.read_bytes() == kept


def test_a_new_name_of_the_machine_makes_a_new_certificate(machine: Machine) -> None:
    """The broker's certificate names it, by the same key and authority; no other certificate changes."""
    machine.up()
    state = machine.deploy / "state"
    before = {path: path.read_bytes() for path in state.rglob("*.crt")}
    machine.up("--host", "lora.example")
    broker = state / "mosquitto" / "mosquitto.crt"
    said = subprocess.run(
        ["openssl", "x509", "-in", str(broker), "-noout", "-ext", "subjectAltName"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "DNS:lora.example" in said.stdout
    assert {path for path, body in before.items() if path.read_bytes() != body} == {broker}


def test_certificates_are_good_for_strict_programs(machine: Machine) -> None:
    """Python from 3.13 on asks for the key identifiers of RFC 5280, in the authority and in what it signed."""
    machine.up()
    state = machine.deploy / "state"
    made = [path for path in state.glob("*/*.crt") if path.name != "ca.crt"]
    assert len(made) == 5
    command = ["openssl", "verify", "-x509_strict", "-CAfile", str(state / "authority" / "ca.crt"), *map(str, made)]
    said = subprocess.run(command, capture_output=True, text=True, check=False)
    assert said.returncode == 0, said.stderr


def test_certificates_are_renewed_before_they_end(machine: Machine) -> None:
    """`credentials renew` changes nothing while they are young, and all that end within sixty days."""
    machine.up()
    credentials = machine.deploy / "credentials"
    young = subprocess.run([str(credentials), "renew"], capture_output=True, text=True, check=True)
    assert young.stdout == ""
    credentials.write_text(credentials.read_text().replace("renew_s=5184000", "renew_s=99999999"))
    old = subprocess.run([str(credentials), "renew"], capture_output=True, text=True, check=True)
    assert sorted(old.stdout.split()[1::5]) == sorted(
        f"{name}/{name}.crt" for name in ("chirpstack", "gateway-bridge", "mosquitto", "simulator", "stadtfunk")
    )


@pytest.mark.parametrize(
    ("words", "circumstances", "code", "says"),
    [
        (["--simulate"], {}, 2, "unknown option --simulate"),
        (["--bind"], {}, 2, "--bind wants a value"),
        (["--docs", "docs.example"], {}, 2, "--docs wants an address"),
        (["--docs", "https://docs.example/#x"], {}, 2, "--docs: a sign"),
        ([], {"NO_ENGINE": "yes"}, 1, "no Docker engine answers"),
        ([], {"NO_TOKENS": "yes"}, 1, "tokens of an earlier start"),
        ([], {"SICK": "yes"}, 1, ""),
    ],
)
def test_what_goes_wrong_is_said_in_a_line(
    machine: Machine, words: list[str], circumstances: dict[str, str], code: int, says: str
) -> None:
    """Wrong usage is 2, all else 1; nobody is told that it is ready."""
    ended = machine.up(*words, **circumstances)
    assert ended.returncode == code
    assert says in ended.stderr
    assert ended.stderr.count("\n") <= 1
    assert "ready" not in ended.stdout


def test_the_simulator_is_asked_for(machine: Machine) -> None:
    """Its profile and the service's consent go together, and stay for later starts."""
    machine.up("--simulator")
    kept = (machine.deploy / ".env").read_text().splitlines()
    assert {"COMPOSE_PROFILES=simulator", "STADTFUNK_SIMULATION=true"} <= set(kept)


def test_a_gateway_is_given_its_own_certificate(machine: Machine) -> None:
    """Named by its id; what is no id is wrong usage, and without an authority there is nothing to sign with."""
    credentials = [str(machine.deploy / "credentials"), "gateway"]
    early = subprocess.run([*credentials, "0016c001f153a14c"], capture_output=True, text=True, check=False)
    assert (early.returncode, early.stderr.count("\n")) == (1, 1)
    machine.up()
    assert subprocess.run([*credentials, "0016c001f153a14c"], capture_output=True, check=False).returncode == 0
    for wrong in ("", "0016C001F153A14C", "12", "0016c001f153a14c0"):
        assert subprocess.run([*credentials, wrong], capture_output=True, check=False).returncode == 2
    crt = machine.deploy / "state" / "gateways" / "0016c001f153a14c" / "0016c001f153a14c.crt"
    authority = machine.deploy / "state" / "authority" / "ca.crt"
    assert subprocess.run(["openssl", "verify", "-CAfile", authority, crt], check=False).returncode == 0
