"""Settings: which source wins, what is refused and how it is said, and the page made from the models."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import BaseModel, SecretStr, ValidationError

from ingest import docs
from ingest.settings import Settings, SettingsError, load, settings_file


def sections(model: type[BaseModel], prefix: str = "") -> dict[str, type[BaseModel]]:
    """All sections by their name in the file, those within others, too."""
    found: dict[str, type[BaseModel]] = {}
    for name, info in model.model_fields.items():
        if isinstance(info.annotation, type) and issubclass(info.annotation, BaseModel):
            found |= {prefix + name: info.annotation, **sections(info.annotation, f"{prefix}{name}.")}
    return found


SECTIONS = sections(Settings)
KEYS = [(section, key) for section, model in SECTIONS.items() for key in model.model_fields]
SECRETS = [("mqtt", "password"), ("influxdb", "token"), ("grafana", "token")]


@pytest.fixture(autouse=True)
def nothing_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty folder, no variable of ours, no file in /etc."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("ingest.settings.SEARCHED", (Path("stadtfunk.toml"), tmp_path / "etc.toml"))
    for name in [*(name for name in os.environ if name.startswith("STADTFUNK_")), "CREDENTIALS_DIRECTORY"]:
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def secrets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of secret files."""
    folder = tmp_path / "secrets"
    folder.mkdir()
    monkeypatch.setenv("STADTFUNK_SECRETS_DIR", str(folder))
    return folder


def test_the_stronger_source_wins(secrets: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Arguments over secret files over environment over the file over defaults, key by key in one section."""
    assert load().mqtt.host == "127.0.0.1"
    Path("stadtfunk.toml").write_text('[mqtt]\nhost = "file"\nusername = "file"\nclient_id = "file"\nport = 2000\n')
    assert load().mqtt.host == "file"
    for key in ("HOST", "USERNAME", "CLIENT_ID"):
        monkeypatch.setenv(f"STADTFUNK_MQTT__{key}", "environment")
    assert load().mqtt.host == "environment"
    for key in ("host", "username"):
        (secrets / f"mqtt__{key}").write_text("secret file")
    assert load().mqtt.host == "secret file"
    mqtt = load(mqtt={"host": "argument"}).mqtt
    found = (mqtt.host, mqtt.username, mqtt.client_id, mqtt.port, mqtt.keepalive_s)
    assert found == ("argument", "secret file", "environment", 2000, 30)


def test_secret_files_come_from_systemd_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`CREDENTIALS_DIRECTORY` is read unless ours names a folder; a final newline is no part of a secret."""
    for name in ("systemd", "own"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "mqtt__password").write_text(f"{name}\n")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path / "systemd"))
    assert load().mqtt.password == SecretStr("systemd")
    monkeypatch.setenv("STADTFUNK_SECRETS_DIR", str(tmp_path / "own"))
    assert load().mqtt.password == SecretStr("own")


def test_which_file_is_read(tmp_path: Path) -> None:
    """The named one, else the working folder's, else the system's; a named one that is missing is an error."""
    assert settings_file(None) is None
    (tmp_path / "etc.toml").write_text("[mqtt]\nport = 1\n")
    assert load().mqtt.port == 1
    (tmp_path / "stadtfunk.toml").write_text("[mqtt]\nport = 2\n")
    assert load().mqtt.port == 2
    (tmp_path / "named.toml").write_text("[mqtt]\nport = 3\n")
    assert load(tmp_path / "named.toml").mqtt.port == 3
    with pytest.raises(SettingsError, match=r"nowhere\.toml does not exist"):
        load(tmp_path / "nowhere.toml")


@pytest.mark.parametrize(("section", "key"), KEYS, ids=[".".join(name) for name in KEYS])
def test_every_key_is_described(section: str, key: str) -> None:
    """Each key of each section says what it is for, numbers that measure something with their unit."""
    info = SECTIONS[section].model_fields[key]
    text = info.description or ""
    assert len(text) >= 10
    units = {"_s": r"\bs\b", "_ms": r"\bms\b", "_bytes": r"\bbytes\b", "_days": r"\bdays?\b", "_lines": r"\blines\b"}
    for ending, unit in units.items():
        if key.endswith(ending):
            assert re.search(unit, text), text


def test_every_section_is_described() -> None:
    """The sections are those of the settings page, each with a line of its own."""
    assert [name for name in SECTIONS if "." not in name] == list(Settings.model_fields)
    assert all((model.__doc__ or "").endswith(".") for model in SECTIONS.values())


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[mqtt]\nhots = 1", "mqtt: unknown key 'hots'; did you mean 'host'?"),
        ("[jurnal]\npath = 'x'", "settings: unknown key 'jurnal'; did you mean 'journal'?"),
        ("[store]\nzzz = 1", "store: unknown key 'zzz'; known are path, retention_days"),
        ("[influxdb]\nbuket_open = 'x'", "influxdb: unknown key 'buket_open'; did you mean 'bucket_open'?"),
    ],
)
def test_an_unknown_key_names_the_nearest(text: str, message: str) -> None:
    """One line with section, key and the nearest known key, or all of them when none is near."""
    Path("stadtfunk.toml").write_text(text)
    with pytest.raises(SettingsError) as caught:
        load()
    assert str(caught.value) == message


def test_an_unknown_key_is_refused_from_every_source(secrets: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A typing error in a section is found in arguments, variables and secret files, too."""
    message = "mqtt: unknown key 'pasword'; did you mean 'password'\\?"
    with pytest.raises(SettingsError, match=message):
        load(mqtt={"pasword": "x"})
    monkeypatch.setenv("STADTFUNK_MQTT__PASWORD", "x")
    with pytest.raises(SettingsError, match=message):
        load()
    monkeypatch.delenv("STADTFUNK_MQTT__PASWORD")
    (secrets / "mqtt__pasword").write_text("x")
    with pytest.raises(SettingsError, match=message):
        load()


@pytest.mark.parametrize("name", ["Europe", "../etc", "", "Europe/Berlin\0"])
def test_what_is_no_time_zone_is_named(name: str) -> None:
    """A folder of zones, a path and nothing are none."""
    with pytest.raises(SettingsError, match=r"city\.timezone"):
        load(city={"timezone": name})


def test_every_mistake_is_named_at_once() -> None:
    """Key, expectation and the value found, for each mistake in one line."""
    with pytest.raises(SettingsError) as caught:
        load(mqtt={"port": 70000}, city={"timezone": "Europa/Hamm"}, telemetry={"log_level": "loud"})
    text = str(caught.value)
    assert "mqtt.port: Input should be less than or equal to 65535 (got 70000)" in text
    assert "city.timezone: unknown time zone 'Europa/Hamm' (got 'Europa/Hamm')" in text
    assert "telemetry.log_level" in text
    assert "'loud'" in text
    assert "\n" not in text


def test_a_file_that_is_no_toml_is_named() -> None:
    """File and place."""
    Path("stadtfunk.toml").write_text("[mqtt\n")
    with pytest.raises(SettingsError, match=r"stadtfunk\.toml: .*line 1"):
        load()


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("STADTFUNK_MQTT", "geheim{", 'error parsing value for field "mqtt"'),
        ("STADTFUNK_MQQT__HOST", "x", "STADTFUNK_MQQT__HOST: unknown key 'mqqt'; did you mean 'mqtt'"),
        ("STADTFUNK_JOURNAL_PATH", "x", "STADTFUNK_JOURNAL_PATH: unknown key 'journal_path'; did you mean 'journal'"),
        ("stadtfunk_mqqt__host", "x", "did you mean 'mqtt'"),
        ("STADTFUNK_SECRETS_DIR", "/nowhere", "/nowhere"),
    ],
)
def test_a_wrong_variable_is_named(monkeypatch: pytest.MonkeyPatch, name: str, value: str, message: str) -> None:
    """No JSON, no such section, one underscore instead of two, no such folder: an error, never passed over."""
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError) as caught:
        load()
    assert message in str(caught.value)
    assert "geheim" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[journal]\ntick_s = inf", "journal.tick_s: Input should be"),
        ("[journal]\ntick_s = 0.0001", "journal.tick_s: Input should be greater than or equal to 0.01"),
        ("[journal]\nduplicates_days = 1e300", "journal.duplicates_days: Input should be less than or equal to 36500"),
        ("[mqtt]\nconnect_timeout_s = inf", "mqtt.connect_timeout_s: Input should be a finite number"),
        ("[journal]\nmax_bytes = 9223372036854775808", "journal: max_bytes: expected a number of at most 64 bits"),
        ("[mqtt]\nport = 0x" + "f" * 5000, "mqtt.port: .*a number of thousands of digits"),
        ("[mqtt]\nport = " + "9" * 5000, r"stadtfunk\.toml: .*4300 digits"),
        ("[mqtt]\nport = " + "[" * 1200, r"stadtfunk\.toml: a value nests too deeply"),
        ('[mqtt]\nhost = "a\\u0000"', "mqtt: host: expected text in UTF-8 without zero bytes"),
        ('[city]\nfile = "a\\u0000"', "city: file: expected text"),
        ('[codecs.profiles]\n"a\\u0000" = "x"', "codecs: profiles: expected text"),
        ('[mqtt]\nevent_topic = "application/#"', "mqtt.event_topic: event_topic 'application/#' needs {dev_eui}"),
        ("[mqtt]\nhost = [" + "'x'," * 1000 + "]", "mqtt.host: Input should be a valid string"),
    ],
)
def test_a_value_that_would_fail_later_is_refused_at_once(text: str, message: str) -> None:
    """Numbers without end or beyond 64 bits, texts that nobody can write, topics without a device: one short line."""
    Path("stadtfunk.toml").write_text(text)
    with pytest.raises(SettingsError, match=message) as caught:
        load()
    assert len(str(caught.value)) < 400
    assert str(caught.value).isprintable()


def test_variables_of_any_bytes_are_settings_or_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither a name nor a value that is not UTF-8, nor a value that nests too deeply, gets through or out as it is."""
    for name, value, message in (
        ("STADTFUNK_MQTT__HOST", "s\udcfcd", "mqtt: host: expected text in UTF-8"),
        ("STADTFUNK_MQ\udcc0TT", "{}", "STADTFUNK_MQ\\\\udcc0TT: unknown key"),
        ("STADTFUNK_MQTT", "[" * 100_000, "the environment: a value nests too deeply"),
    ):
        monkeypatch.setenv(name, value)
        with pytest.raises(SettingsError, match=message) as caught:
            load()
        assert str(caught.value).isprintable()
        monkeypatch.delenv(name)


def test_a_secret_that_nobody_can_write_is_not_quoted(monkeypatch: pytest.MonkeyPatch) -> None:
    """The key is named, the secret is not."""
    monkeypatch.setenv("STADTFUNK_MQTT__PASSWORD", "geheim\udcff")
    with pytest.raises(SettingsError, match="mqtt: password: expected text") as caught:
        load()
    assert "geheim" not in str(caught.value)


def test_a_file_in_another_encoding_is_named() -> None:
    """Settings are UTF-8."""
    Path("stadtfunk.toml").write_bytes('[mqtt]\nhost = "süd"\n'.encode("latin-1"))
    with pytest.raises(SettingsError, match=r"stadtfunk\.toml: .*utf-8"):
        load()


def test_settings_are_frozen() -> None:
    """Neither a section nor a key can be changed once read."""
    settings = load()
    for owner, key in ((settings.mqtt, "host"), (settings, "mqtt")):
        with pytest.raises(ValidationError, match="frozen"):
            setattr(owner, key, getattr(owner, key))


def test_the_secrets_are_known() -> None:
    """The keys that hold secrets are those that the tests below speak of."""
    hidden = [(s, k) for s, k in KEYS if "SecretStr" in str(SECTIONS[s].model_fields[k].annotation)]
    assert hidden == SECRETS


@pytest.mark.parametrize(("section", "key"), SECRETS, ids=[".".join(name) for name in SECRETS])
def test_secrets_do_not_show(section: str, key: str) -> None:
    """Not in text, representation or JSON of the settings, nor on the settings page; the value itself is right."""
    settings = load(None, **{section: {key: "geheim"}})
    shown = [
        str(settings),
        repr(settings),
        settings.model_dump_json(),
        repr(settings.model_dump()),
        docs.settings_page(),
    ]
    assert not any("geheim" in text for text in shown)
    assert getattr(getattr(settings, section), key).get_secret_value() == "geheim"


@pytest.mark.parametrize(("section", "key"), SECRETS, ids=[".".join(name) for name in SECRETS])
@pytest.mark.parametrize("wrong", [["geheim"], {"value": "geheim"}, b"geheim\xff"], ids=["list", "table", "bytes"])
def test_a_wrong_secret_is_not_quoted(section: str, key: str, wrong: object) -> None:
    """The error names the key and what was expected, and neither its own value nor that of its neighbour."""
    with pytest.raises(SettingsError, match=rf"{section}\.{key}: Input should be a valid string") as caught:
        load(None, **{section: {key: wrong}})
    assert "geheim" not in str(caught.value)


def test_an_error_beside_a_secret_does_not_quote_it() -> None:
    """An unknown key and a value out of range leave the password alone."""
    for mistake in ({"hots": 1}, {"port": 0}):
        with pytest.raises(SettingsError) as caught:
            load(mqtt={"password": "geheim", **mistake})
        assert "geheim" not in str(caught.value)


def test_a_shared_subscription_with_a_city_is_refused() -> None:
    """Rules need every uplink of their subject; alone either may be set."""
    with pytest.raises(SettingsError, match=r"mqtt\.shared_group .* leave city\.file unset"):
        load(mqtt={"shared_group": "workers"}, city={"file": "city.geojson"})
    assert load(mqtt={"shared_group": "workers"}).mqtt.shared_group == "workers"
    assert load(city={"file": "city.geojson"}).city.file == Path("city.geojson")


def test_the_generated_pages_are_fresh() -> None:
    """`python -m ingest.docs --check` passes on the tree."""
    answer = subprocess.run(
        [sys.executable, "-m", "ingest.docs", "--check"],
        cwd=Path(docs.__file__).parent.parent,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (answer.returncode, answer.stderr) == (0, "")


def test_a_stale_page_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A page that is missing or differs fails the check, which writes nothing; writing makes it pass."""
    folder = tmp_path / "docs"
    monkeypatch.setattr(docs, "FOLDER", folder)
    assert docs.main(["--check"]) == 1
    assert not folder.exists()
    assert docs.main([]) == 0
    assert docs.main(["--check"]) == 0
    capsys.readouterr()
    page = folder / "settings.md"
    written = page.read_text()
    page.write_text(written.replace("`1883`", "`1884`"))
    assert docs.main(["--check"]) == 1
    assert capsys.readouterr().err == "docs/settings.md is stale: run `make docs`\n"
    assert page.read_text() != written
    assert docs.main([]) == 0
    assert page.read_text() == written


def test_every_key_is_on_the_page() -> None:
    """The settings page has a row for each key, and no default of a secret."""
    page = docs.settings_page()
    for section, model in SECTIONS.items():
        part = page.split(f"## [{section}]")[1].split("\n## ")[0]
        rows = [line.split("|")[1].strip(" `") for line in part.splitlines() if line.startswith("| `")]
        assert rows == [key for key in model.model_fields if f"{section}.{key}" not in SECTIONS]
    assert page.count("(secret)") == len(SECRETS)
