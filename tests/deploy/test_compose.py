"""The compose file: by the specification's schema, and by what this project asks of it."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from ingest.settings import load

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
FILE = DEPLOY / "compose.yaml"
STACK: dict[str, Any] = yaml.safe_load(FILE.read_text())
SERVICES: dict[str, dict[str, Any]] = STACK["services"]
EXACT = re.compile(r"^[a-z0-9./-]+:\d+\.\d+(\.\d+)?(-[a-z0-9.]+)?$")
PUBLISHED = {
    "mosquitto": {"8883": "STADTFUNK_BIND", "8884": "STADTFUNK_BIND"},
    "gateway-bridge": {"1700/udp": "STADTFUNK_BIND"},
    "chirpstack": {"8080": "STADTFUNK_OPERATORS_BIND"},
    "grafana": {"3000": "STADTFUNK_OPERATORS_BIND"},
    "stadtfunk": {"8642": ""},
}
"""Ports that docs/install.md names, each with the variable that says on which address; loopback without it."""
ENDS_BY_ITSELF = {"provision"}
SECRET_WORDS = re.compile(r"(password|secret|token|passwd)", re.IGNORECASE)
EACH = pytest.mark.parametrize("name", sorted(SERVICES))


def test_the_specification_takes_it() -> None:
    """The Compose specification's own schema finds nothing."""
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", str(FILE)]
    said = subprocess.run(command, capture_output=True, text=True, check=False)
    assert said.returncode == 0, said.stdout


def test_the_schema_would_find_a_mistake(tmp_path: Path) -> None:
    """A key that the specification does not know is refused."""
    broken = tmp_path / "compose.yaml"
    broken.write_text(FILE.read_text().replace("    command:", "    comand:", 1))
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", str(broken)]
    assert subprocess.run(command, capture_output=True, check=False).returncode == 1


@EACH
def test_images_are_exact(name: str) -> None:
    """Three numbers, never a moving tag: two machines that start today and next year run the same."""
    assert EXACT.match(SERVICES[name]["image"]), SERVICES[name]["image"]


@EACH
def test_only_documented_ports_are_published_and_on_loopback(name: str) -> None:
    """Each port is in the table above and in the installation guide, bound to a variable whose default is loopback."""
    wanted = PUBLISHED.get(name, {})
    ports = [str(port) for port in SERVICES[name].get("ports", ())]
    assert len(ports) == len(wanted)
    guide = (ROOT / "docs" / "install.md").read_text()
    for port, variable in wanted.items():
        number = port.removesuffix("/udp")
        address = f"${{{variable}:-127.0.0.1}}" if variable else "127.0.0.1"
        assert f"{address}:{number}:{port}" in ports
        assert number in guide


@EACH
def test_each_says_whether_it_is_well(name: str) -> None:
    """A health check for all that go on; what ends by itself says so by its exit code."""
    check = SERVICES[name]["healthcheck"]
    assert check == {"disable": True} if name in ENDS_BY_ITSELF else check["test"][0] in {"CMD", "CMD-SHELL"}


@EACH
def test_none_may_more_than_it_needs(name: str) -> None:
    """A user that is not root, no capabilities, no new rights, a root that cannot be written, no host's networks."""
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert not {"privileged", "network_mode", "pid", "ipc", "devices", "cap_add"} & service.keys()
    own = service["image"].startswith(("stadtfunk:", "chirpstack/"))
    assert own or service["user"].split(":")[0] not in {"", "0", "root"}, "their images name a user of their own"
    for volume in service["volumes"]:
        source, *_, mode = volume.rsplit(":", 2)
        assert mode == "ro" or not source.startswith((".", "/", "$")), volume


@EACH
def test_each_sees_its_own_secrets_only(name: str) -> None:
    """Of the folder with secrets the part that bears its name, but for the one that gives others theirs."""
    states = [str(volume) for volume in SERVICES[name]["volumes"] if "STADTFUNK_STATE" in str(volume)]
    folders = {re.sub(r".*\}/([a-z-]+)[/:].*", r"\1", volume) for volume in states}
    assert folders == {"provision": {"stadtfunk", "influxdb", "administrator", "grafana"}}.get(name, {name})


@EACH
def test_no_secret_stands_in_the_file(name: str) -> None:
    """Environment and command name files where a secret is wanted."""
    environment = SERVICES[name].get("environment", {})
    for key, value in environment.items():
        if SECRET_WORDS.search(key):
            assert key.endswith("_FILE") or key == "STADTFUNK_SECRETS_DIR", key
            assert str(value).startswith("/run/state"), value


def test_databases_are_out_of_reach() -> None:
    """PostgreSQL and Redis are on a network without a way out, InfluxDB on one without ChirpStack."""
    assert STACK["networks"]["data"] == {"internal": True}
    assert {name for name, service in SERVICES.items() if "data" in service["networks"]} == {
        "chirpstack",
        "postgresql",
        "redis",
    }
    assert "city" not in SERVICES["chirpstack"]["networks"]


def test_every_file_that_is_mounted_is_there() -> None:
    """Docker would make an empty folder of a missing one."""
    for service in SERVICES.values():
        for volume in service["volumes"]:
            source = re.sub(r"^\$\{\w+:-(.*?)\}", r"\1", str(volume)).split(":")[0]
            if source.startswith("./") and "state" not in source.split("/")[1]:
                assert (DEPLOY / source).exists(), source


def test_every_named_volume_is_declared_and_used() -> None:
    """A name that nobody declares is an error at start, one that nobody uses is a leftover."""
    used = {str(volume).split(":")[0] for service in SERVICES.values() for volume in service["volumes"]}
    assert {name for name in used if name[0].isalpha()} == set(STACK["volumes"])


def test_the_simulator_waits_to_be_asked() -> None:
    """A city's stack plays nothing by itself."""
    assert SERVICES["simulator"]["profiles"] == ["simulator"]
    assert SERVICES["stadtfunk"]["environment"]["STADTFUNK_SIMULATION__ACCEPT"] == "${STADTFUNK_SIMULATION:-false}"


def test_the_image_is_built_from_the_lock() -> None:
    """Hashes are asked for, the last stage is no root and holds no compiler's leavings; one Python in both stages."""
    text = (DEPLOY / "Dockerfile").read_text()
    assert "--require-hashes" in text
    assert re.findall(r"^FROM (\S+)", text, re.MULTILINE)[0] == re.findall(r"^FROM (\S+)", text, re.MULTILINE)[1]
    last = text.rsplit("\nFROM ", 1)[1]
    assert re.search(r"^USER 10001$", last, re.MULTILINE)
    assert "HEALTHCHECK" in last
    assert "sbom" in last
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert f'image.version="{version}"' in last
    assert SERVICES["stadtfunk"]["image"] == f"stadtfunk:{version}"


def test_the_context_of_the_image_holds_what_it_copies() -> None:
    """What the Dockerfile copies is let through by .dockerignore, and nothing else is."""
    copied = set(re.findall(r"^COPY (?!--from)(.+) \S+$", (DEPLOY / "Dockerfile").read_text(), re.MULTILINE))
    names = {name for line in copied for name in line.split()}
    passed = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    assert names == passed
    assert all((ROOT / name).exists() for name in names)


def test_the_image_holds_what_the_programs_read_of_deploy() -> None:
    """Files that come with the package are copied; what needs SUMO, which the image has not, stays out."""
    sources = [path.read_text() for name in ("ingest", "simulator") for path in (ROOT / name).rglob("*.py")]
    read = {f"deploy/{name}" for text in sources for name in re.findall(r'files\("deploy"\) / "(\w+)"', text)}
    assert {"deploy/city", "deploy/scenarios"} <= read
    copied = (DEPLOY / "Dockerfile").read_text()
    assert [name for name in sorted(read - {"deploy/sumo"}) if f"COPY {name} {name}" not in copied] == []


def test_chirpstack_loses_nothing() -> None:
    """JSON at QoS 1 in a session that is kept, in Europe only, secrets from outside."""
    settings = tomllib.loads((DEPLOY / "chirpstack" / "chirpstack.toml").read_text())
    mqtt = settings["integration"]["mqtt"]
    assert (mqtt["qos"], mqtt["json"], mqtt["clean_session"]) == (1, True, False)
    assert settings["network"]["enabled_regions"] == ["eu868"]
    assert settings["api"]["secret"] == "$API_SECRET"
    assert "$POSTGRES_PASSWORD" in settings["postgresql"]["dsn"]
    (region,) = tomllib.loads((DEPLOY / "chirpstack" / "region_eu868.toml").read_text())["regions"]
    assert region["gateway"]["backend"]["mqtt"]["qos"] == 1
    assert region["gateway"]["backend"]["mqtt"]["topic_prefix"] == "eu868", "4.15 knows no event_topic any more"
    assert all(863_000_000 < channel["frequency"] < 870_000_000 for channel in region["network"]["extra_channels"])


def test_the_bridge_speaks_of_one_region() -> None:
    """Its topics are those that ChirpStack reads."""
    bridge = tomllib.loads((DEPLOY / "gateway-bridge" / "chirpstack-gateway-bridge.toml").read_text())
    mqtt = bridge["integration"]["mqtt"]
    (region,) = tomllib.loads((DEPLOY / "chirpstack" / "region_eu868.toml").read_text())["regions"]
    prefix = region["gateway"]["backend"]["mqtt"]["topic_prefix"]
    for what in ("event", "state", "command"):
        assert mqtt[f"{what}_topic_template"].startswith(f"{prefix}/gateway/{{{{ .GatewayID }}}}/{what}/")
    assert mqtt["auth"]["generic"]["qos"] == 1


def test_the_service_takes_its_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """The deployed file is one that the service reads, with secrets from files and TLS to the broker."""
    monkeypatch.setenv("STADTFUNK_SIMULATION__ACCEPT", "false")
    settings = load(DEPLOY / "stadtfunk" / "stadtfunk.toml")
    assert settings.mqtt.tls
    assert settings.mqtt.certificate_file is not None
    assert settings.influxdb.url == "http://influxdb:8086"
    assert settings.influxdb.organisation == SERVICES["influxdb"]["environment"]["DOCKER_INFLUXDB_INIT_ORG"]


def test_a_database_that_is_being_set_up_is_not_well() -> None:
    """Both are asked where only the server that stays listens, not the one that makes users and buckets."""
    assert "127.0.0.1" in SERVICES["postgresql"]["healthcheck"]["test"]
    assert "http://127.0.0.1:8086" in SERVICES["influxdb"]["healthcheck"]["test"]


def test_redis_hears_that_it_is_to_end(tmp_path: Path) -> None:
    """It takes the shell's place, so the signal reaches it; its password is in no list of processes."""
    (tmp_path / "redis").write_text("secret")
    (tmp_path / "redis-server").write_text('#!/bin/sh\necho $$ "$@"\ncat\n')
    (tmp_path / "redis-server").chmod(0o755)
    script = (DEPLOY / "redis" / "start").read_text().replace("/run/state", str(tmp_path))
    command = ["sh", "-c", script]
    environment = {"PATH": f"{tmp_path}:/usr/bin:/bin"}
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as started:
        said, _ = started.communicate(timeout=60)
    assert said == f"{started.pid} -\nrequirepass secret\nappendonly yes\ndir /data\n"


def test_commands_beside_the_service_reach_it() -> None:
    """It listens on its name in the stack, on a network that `provision` is on; loopback would be another one there."""
    host = load(DEPLOY / "stadtfunk" / "stadtfunk.toml").http.host
    assert host == "stadtfunk"
    assert f"http://{host}:8642/" in SERVICES[host]["healthcheck"]["test"][-1]
    assert set(SERVICES[host]["networks"]) & set(SERVICES["provision"]["networks"])
    assert {"stadtfunk:/var/lib/stadtfunk"} <= {*SERVICES[host]["volumes"]} & {*SERVICES["provision"]["volumes"]}


@pytest.mark.parametrize("script", ["up", "credentials", "chirpstack/start", "redis/start"])
def test_scripts_are_shell_that_every_system_has(script: str) -> None:
    """A POSIX shell reads them, they end at the first error, and may be run."""
    path = DEPLOY / script
    assert subprocess.run(["sh", "-n", str(path)], check=False).returncode == 0
    assert "set -eu" in path.read_text()
    assert path.stat().st_mode & 0o111
