"""Settings of the service: one frozen model per section, strictest source wins.

Strongest first: arguments, secret files (`STADTFUNK_SECRETS_DIR`, systemd's `CREDENTIALS_DIRECTORY`; one file a key,
`mqtt__password`), `STADTFUNK_…` environment (`__` nests), the TOML file, defaults. Every key says its unit and its
reason; docs/settings.md is generated from here.
"""

import difflib
import os
import re
import reprlib
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_core import ErrorDetails
from pydantic_settings import (
    BaseSettings,
    NestedSecretsSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)
from pydantic_settings import SettingsError as SourceError
from typing_extensions import override

from decoders.quantity import Privacy
from ingest.chirpstack import TopicError, topic_parser
from ingest.decisions.where import with_lines
from ingest.settings_routes import RoutesSettings
from ingest.settings_section import Section, http_url, known_keys
from rules.calibration import BY_FIELD
from rules.condition_config import ConditionRules, Limits
from rules.custom.definition import CustomRule
from rules.device.config import DeviceRules

Port = Annotated[int, Field(ge=1, le=65535)]
PurposeOf = Annotated[str, Field(pattern=r"^(js/)?[^/\s]+/[^/\s]+$")]
PurposeText = Annotated[str, Field(pattern=r"\S", max_length=1000)]
Mode = Literal["active", "shadow", "confirm", "off"]
"""What becomes of a rule's events."""
BucketName = Annotated[str, Field(pattern=r"^[^\"'\\\x00-\x1f$]+$")]
"""Without quotation marks, backslashes, `$` and control characters, which queries would read as their own."""
PREFIX = "STADTFUNK_"
OTHER_VARIABLES = ("STADTFUNK_SECRETS_DIR", "STADTFUNK_TEST_")
CODECS = "codecs"
COMMAND_PARTS = re.compile(r"\{\{?\s*(\w+)\s*\}?\}")
"""Placeholders of a topic's template, `{name}` or, as ChirpStack writes them, `{{name}}`."""
COMMAND_NAMES = (["application_id", "dev_eui"], ["application_id", "command", "dev_eui"])
SEARCHED = (Path("stadtfunk.toml"), Path("/etc/stadtfunk/stadtfunk.toml"))


LARGEST_TIME_MS = 9_223_372_036_854
"""Of times: what InfluxDB can hold, in 2262."""
LARGEST_DAYS = 36_500
LEAST_HEARTBEAT_S = 0.1
ACCOUNT = re.compile("(?<=://).*(?=@)", re.DOTALL)
"""What stands before the host in an address."""
SHORT = reprlib.Repr()
SHORT.maxstring = SHORT.maxother = SHORT.maxlong = 120


class SettingsError(Exception):
    """Settings that cannot be used; the message names the key, the value and what was expected, in one line."""

    def __init__(self, message: str) -> None:
        super().__init__("".join(letter if letter.isprintable() else ascii(letter)[1:-1] for letter in message))


class CitySettings(Section):
    """The city: its file and its calendar."""

    file: Path | None = Field(default=None, description="GeoJSON with the city's assets; without it no rule runs")
    gtfs: Path | None = Field(
        default=None, description="GTFS feed (zip) with the timetables of buses; without it bus priority stays off"
    )
    timezone: str = Field("Europe/Berlin", description="calendar of plans, days, nights and reports (IANA name)")

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            raise ValueError(f"unknown time zone {name!r}") from error
        return name


class MqttSettings(Section):
    """ChirpStack's broker: where uplinks come from and events go to."""

    host: str = Field("127.0.0.1", description="broker's host name or address")
    port: Port = Field(1883, description="broker's port; 8883 is usual with TLS")
    client_id: str = Field(
        "stadtfunk", min_length=1, description="fixed: the broker keeps the session under this name; one per service"
    )
    username: str | None = Field(default=None, description="broker account with the rights of docs/security.md")
    password: SecretStr | None = Field(default=None, description="secret: prefer the secret file `mqtt__password`")
    tls: bool = Field(default=False, description="encrypt; needed as soon as the broker is another machine")
    ca_file: Path | None = Field(default=None, description="certificates to trust (PEM); the system's without it")
    certificate_file: Path | None = Field(default=None, description="client certificate (PEM)")
    key_file: Path | None = Field(default=None, description="client key (PEM)")
    encoding: Literal["json", "protobuf", "auto"] = Field("auto", description="ChirpStack's event encoding")
    event_topic: str = Field(
        "application/{application_id}/device/{dev_eui}/event/{event}",
        description="ChirpStack's [integration.mqtt] event_topic",
    )
    command_topic: str = Field(
        "application/{application_id}/device/{dev_eui}/command/down",
        description="ChirpStack's [integration.mqtt] command_topic, where downlinks go; `{command}` becomes `down`",
    )
    shared_group: str | None = Field(
        default=None, description="share the subscription under this name; only with rules off"
    )
    session_expiry_s: int = Field(
        7 * 86400, ge=60, le=0xFFFFFFFE, description="s the broker keeps our session while we are away"
    )
    receive_maximum: int = Field(1000, ge=1, le=65535, description="messages the broker may leave unacknowledged")
    max_packet_bytes: int = Field(
        2_000_000, ge=4096, le=268_435_455, description="bytes; the broker drops what is larger before it reaches us"
    )
    keepalive_s: int = Field(30, ge=1, le=65535, description="s between signs of life")
    connect_timeout_s: float = Field(10, gt=0, description="s until a connection attempt is given up")
    reconnect_min_s: float = Field(0.5, gt=0, description="s before the first new attempt")
    reconnect_max_s: float = Field(30, gt=0, description="s between attempts at most; each wait is jittered")

    @field_validator("event_topic")
    @classmethod
    def _usable_topic(cls, template: str) -> str:
        try:
            topic_parser(template)
        except TopicError as error:
            raise ValueError(str(error)) from error
        return template

    @field_validator("command_topic")
    @classmethod
    def _usable_command_topic(cls, template: str) -> str:
        if sorted(COMMAND_PARTS.findall(template)) not in COMMAND_NAMES:
            raise ValueError(
                f"command_topic {template!r} needs {{application_id}} and {{dev_eui}} once, may have {{command}}"
            )
        if re.search(r"[+#{}\0]", COMMAND_PARTS.sub("", template)) or template.startswith("$"):
            raise ValueError(f"command_topic {template!r}: expected a topic that can be published on")
        return template


class JournalSettings(Section):
    """The local journal: what is acknowledged is in it."""

    path: Path = Field(Path("var/journal.db"), description="SQLite file, on a local disk; its folder is created")
    max_bytes: int = Field(
        2_000_000_000,
        ge=1_000_000,
        description="bytes of lines waiting for sinks; beyond it we acknowledge nothing and the broker keeps the rest",
    )
    batch_messages: int = Field(500, ge=1, le=10_000, description="messages in one commit at most")
    batch_bytes: int = Field(1_000_000, ge=10_000, description="bytes in one commit at most")
    batch_wait_s: float = Field(0.02, ge=0, le=1, description="s to wait for company on an idle disk")
    duplicates_days: float = Field(
        7,
        gt=0,
        le=LARGEST_DAYS,
        description="days a deduplication_id is remembered at least; about 60 bytes of disk each",
    )
    duplicates_commits: int = Field(100_000, ge=1, description="commits a deduplication_id is remembered at least")
    repeat_window_s: int = Field(
        900, ge=1, description="s of network server time in which the same frame is the same uplink"
    )
    events_days: float = Field(30, gt=0, le=LARGEST_DAYS, description="days a published event can be explained")
    ledger_days: float = Field(
        1096,
        gt=0,
        le=LARGEST_DAYS,
        description="days the ledger is kept; that of personal devices influxdb.retention_personal_days at most",
    )
    dead_letter_days: float = Field(
        90,
        gt=0,
        le=LARGEST_DAYS,
        description="days a dead letter is kept; a personal one influxdb.retention_personal_days at most",
    )
    dead_letter_full_bytes: int = Field(256_000, ge=0, description="bytes up to which a dead letter is kept whole")
    dead_letter_head_bytes: int = Field(64_000, ge=0, description="bytes kept of a larger one, with length and digest")
    tick_s: float = Field(
        10, ge=0.01, le=86_400, description="s between ticks, by which things expire in a silent city"
    )
    raw_days: float = Field(
        7, ge=0, description="days messages are kept as they came, compressed, for `replay`; 0 keeps none"
    )
    raw_personal_days: float = Field(
        1, ge=0, description="days for messages of the privacy class `personal`; 0 keeps none"
    )


class InfluxSettings(Section):
    """InfluxDB: where readings go; off until a url is set."""

    url: str | None = Field(default=None, description="for example http://127.0.0.1:8086")
    version: Literal["auto", "1.8", "2", "3"] = Field(
        "auto", description="which InfluxDB answers there; auto asks it, once for each connection"
    )
    organisation: str = Field("", description="InfluxDB 2's organisation; 1.8 and 3 ignore it")
    token: SecretStr | None = Field(default=None, description="secret: 2.x token, or user:password on 1.8")
    bucket_open: BucketName = Field(
        "stadtfunk_open", description="bucket (1.8: database/retention policy) of open readings"
    )
    bucket_internal: BucketName = Field("stadtfunk_internal", description="bucket of internal readings")
    bucket_personal: BucketName = Field("stadtfunk_personal", description="bucket of personal readings")
    bucket_simulated: BucketName = Field(
        "stadtfunk_simulated", description="bucket of everything while simulation.accept is set and acting is not"
    )
    retention_open_days: int = Field(
        0, ge=0, description="days open readings are kept; 0 for ever: they are the city's record, a few GB a year"
    )
    retention_internal_days: int = Field(
        365, ge=0, description="days internal readings are kept, radio and devices among them: one of each season"
    )
    retention_personal_days: int = Field(
        30, ge=1, description="days personal readings are kept, never for ever, and never summed up in other buckets"
    )
    retention_hourly_days: int = Field(
        1830, ge=0, description="days hourly values of open and internal readings are kept: five years; 0 for ever"
    )
    retention_daily_days: int = Field(
        0, ge=0, description="days daily values of open and internal readings are kept; 0 for ever"
    )
    gzip: bool = Field(default=False, description="compress writes; worth it over a thin line only")
    timeout_s: float = Field(10, gt=0, description="s until a write counts as unanswered")
    batch_lines: int = Field(5000, ge=1, description="lines in one write at most")
    backoff_min_s: float = Field(0.5, gt=0, description="s before the first retry")
    backoff_max_s: float = Field(60, gt=0, description="s between retries at most")
    quarantine_after_s: float = Field(
        900, gt=0, description="s of answers 500 to the same bytes until the guilty line is looked for"
    )
    ca_file: Path | None = Field(default=None, description="certificates to trust (PEM)")

    def bucket(self, privacy: Privacy) -> str:
        """The bucket of a privacy class."""
        return {
            Privacy.OPEN: self.bucket_open,
            Privacy.INTERNAL: self.bucket_internal,
            Privacy.PERSONAL: self.bucket_personal,
        }[privacy]

    def retention_days(self, privacy: Privacy) -> int:
        """Days that readings of a privacy class are kept; 0 for ever."""
        return {
            Privacy.OPEN: self.retention_open_days,
            Privacy.INTERNAL: self.retention_internal_days,
            Privacy.PERSONAL: self.retention_personal_days,
        }[privacy]


class GrafanaSettings(Section):
    """Grafana: where severe events become annotations; off until a url is set, and needs the extra `grafana`."""

    url: str | None = Field(default=None, description="for example https://grafana.example/ops; any path belongs to it")
    token: SecretStr | None = Field(
        default=None, description="secret: token of a service account with the rights of docs/grafana.md"
    )
    organisation: int | None = Field(
        default=None, ge=1, description="id of the organisation; without it the one that the token belongs to"
    )
    annotations: bool = Field(default=True, description="keep severe events as annotations")
    annotate_level: int = Field(3, ge=1, le=4, description="level from which on an environmental alert is kept")
    language: Literal["de", "en"] = Field("de", description="language of the annotations' text")
    timeout_s: float = Field(10, gt=0, le=600, description="s until a request counts as unanswered")
    backoff_min_s: float = Field(0.5, gt=0, description="s before the first retry")
    backoff_max_s: float = Field(60, gt=0, description="s between retries at most")
    ca_file: Path | None = Field(default=None, description="certificates to trust (PEM); the system's without it")

    @field_validator("url")
    @classmethod
    def _usable_url(cls, url: str | None) -> str | None:
        return url if url is None else http_url(url, "set grafana.token")


class StoreSettings(Section):
    """The embedded store: SQLite, for the demo and small cities."""

    path: Path | None = Field(default=None, description="SQLite file; off without it")
    retention_days: float = Field(365, gt=0, le=LARGEST_DAYS, description="days a point is kept")


class CodecSettings(Section):
    """Which codec reads a device."""

    folder: Path | None = Field(
        default=None,
        description="folder of vendors' JavaScript codecs, read again when it changes; without it `codecs` beside the"
        " settings file",
    )
    profiles: dict[str, str] = Field(
        default_factory=dict, description="ChirpStack device profile name → codec id; the tag `codec` wins"
    )


class DeviceRuleSettings(Section):
    """When a device, a gateway or the network is in trouble."""

    silent_factor: float = Field(2.5, gt=1, description="learned intervals without an uplink until a device is silent")
    battery_low: float = Field(20, ge=0, le=100, description="% below which a battery is low; volts by device tags")
    battery_days: float = Field(30, ge=0, description="days left by the trend below which a battery is low")
    battery_trend_days: int = Field(14, ge=2, description="days of battery readings that a forecast needs")
    link_margin_db: float = Field(3, description="dB of mean SNR above what the spreading factor needs; below: weak")
    clock_offset_s: float = Field(
        300, gt=0, description="s that a measurement time may be off the network server's time"
    )
    gateway_silent_s: float = Field(300, gt=0, description="s without an uplink until a gateway is silent, at least")
    network_silent_s: float = Field(120, gt=0, description="s without an uplink until all is silent, at least")
    validity_s: float = Field(86_400, ge=600, description="s that a word on health is valid; it is renewed in time")

    def rules(self) -> DeviceRules:
        """The thresholds as the rules take them."""
        return DeviceRules(
            silent_factor=self.silent_factor,
            battery_low=self.battery_low,
            battery_days=self.battery_days,
            battery_trend_days=self.battery_trend_days,
            link_margin_db=self.link_margin_db,
            clock_offset_ms=int(self.clock_offset_s * 1000),
            gateway_silent_ms=int(self.gateway_silent_s * 1000),
            network_silent_ms=int(self.network_silent_s * 1000),
            validity_ms=int(self.validity_s * 1000),
        )


class LimitSettings(Section):
    """Limits of one quantity, in its unit."""

    low: float | None = Field(default=None, description="least plausible value")
    high: float | None = Field(default=None, description="greatest plausible value")
    per_minute: float | None = Field(default=None, ge=0, description="fastest believable change in a minute; 0: any")
    stuck_after: int | None = Field(default=None, ge=0, description="equal values that make it stuck; 0: never")


class ConditionSettings(Section):
    """Which values are doubtful: see docs/sensors-quality.md."""

    stuck_after: int = Field(
        24, ge=0, description="uplinks with the same value, while others vary, until a sensor is stuck; 0: never"
    )
    stuck_hours: float = Field(24, ge=0, le=8760, description="h for which the value must stand, too")
    oldest_days: float = Field(
        400,
        ge=1,
        le=36_500,
        description="days that a measurement may lie before its uplink; older ones are from a clock that was never set",
    )
    limits: dict[str, LimitSettings] = Field(
        default_factory=dict,
        description="quantity → `low`, `high`, `per_minute`, `stuck_after`, where other limits hold in this city",
    )

    @field_validator("limits")
    @classmethod
    def _known_quantities(cls, limits: dict[str, LimitSettings]) -> dict[str, LimitSettings]:
        for name, limit in limits.items():
            quantity = BY_FIELD.get(name)
            if quantity is None:
                near = difflib.get_close_matches(name, BY_FIELD, n=1, cutoff=0)
                raise ValueError(f"unknown quantity {name!r}; did you mean {near[0]!r}?")
            low, high = (
                usual if given is None else given
                for given, usual in ((limit.low, quantity.low), (limit.high, quantity.high))
            )
            if low >= high:
                raise ValueError(f"{name}: expected low < high, got {low:g} and {high:g}")
        return limits

    def rules(self) -> ConditionRules:
        """The limits as the rules take them."""
        limits = {BY_FIELD[name]: Limits(*(value for _, value in limit)) for name, limit in self.limits.items()}
        return ConditionRules(self.stuck_after, limits, self.stuck_hours, self.oldest_days)


class RulesSettings(Section):
    """What rules may do, and thresholds of those that belong to no single asset."""

    modes: dict[str, Mode] = Field(
        default_factory=dict,
        description="rule, or `rule/subject`, → `active`, `shadow` (kept, not published), `confirm` (waits for a"
        " person: `stadtfunk rules confirm`) or `off`; rules about traffic are in shadow, all others active until set",
    )
    request_late_s: float = Field(
        60,
        gt=0,
        le=1800,
        description="s that a request may be decided behind the wall clock; beyond, a backlog is draining: rules go on,"
        " and request nothing",
    )

    custom: tuple[CustomRule, ...] = Field(
        (), description="rules without code, as tables `[[rules.custom]]`: see docs/rules-custom.md"
    )
    file: Path | None = Field(
        default=None, description="file with more rules without code (TOML), as tables `[[custom]]`"
    )

    condition: ConditionSettings = Field(
        default_factory=ConditionSettings, description="doubtful values: see [rules.condition]"
    )

    device: DeviceRuleSettings = Field(
        default_factory=DeviceRuleSettings, description="devices, gateways and the network: see [rules.device]"
    )


class DownlinkSettings(Section):
    """Downlinks that rules request: how many may be sent, and when one counts as unanswered; see docs/rules.md."""

    per_device_hour: int = Field(
        6, ge=0, le=3600, description="downlinks to a device in an hour at most: its airtime is the gateway's, too"
    )
    per_hour: int = Field(
        100,
        ge=0,
        le=36_000,
        description="downlinks in an hour at most in all: gateways may send 1 % of the time (10 % on 869.525 MHz), and"
        " hear nothing meanwhile; the slowest takes 2.8 s",
    )
    unanswered_after_s: float = Field(
        60, ge=0, le=86_400, description="s after its validity until a downlink that no gateway took is unanswered"
    )


class HttpSettings(Section):
    """HTTP interface: health, metrics, commands. Loopback unless configured."""

    enabled: bool = Field(default=True, description="serve at all")
    host: str = Field("127.0.0.1", description="address to listen on")
    port: int = Field(8642, ge=0, le=65535, description="port to listen on; 0 takes a free one")


class PrivacySettings(Section):
    """Who may see what."""

    applications: dict[str, Literal["open", "internal", "personal"]] = Field(
        default_factory=dict, description="ChirpStack application name → privacy class; the strictest wins"
    )
    purpose: dict[PurposeOf, PurposeText] = Field(
        default_factory=dict,
        description="codec (`axioma/qalcosonic-w1`) or vendor (`axioma/*`) → why its personal data may be processed, as"
        " documented; without a purpose codecs of trackers, phone counters and household meters stay off",
    )

    def has_purpose(self, codec_id: str) -> bool:
        """Whether a purpose is set for a codec, or for all of its vendor."""
        return codec_id in self.purpose or f"{codec_id.rpartition('/')[0]}/*" in self.purpose


class SimulationSettings(Section):
    """Simulated devices."""

    accept: bool = Field(
        default=False,
        description="take uplinks of simulated devices; readings then go to a bucket or store of their own",
    )
    acting: bool = Field(default=False, description="simulations through and through only: acting rules may act")
    start_ms: int | None = Field(
        default=None,
        ge=0,
        le=LARGEST_TIME_MS,
        description="ms since 1970 at which the simulated clock starts; off without it",
    )
    speed: float = Field(1, gt=0, le=1_000_000, description="simulated seconds in a second")

    @property
    def apart(self) -> bool:
        """Whether readings must be kept apart from a real city's."""
        return self.accept and not self.acting


class TelemetrySettings(Section):
    """Logs and signs of life."""

    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="least level that is written")
    log_format: Literal["auto", "json", "console"] = Field("auto", description="auto: console on a terminal, else JSON")
    heartbeat_s: float = Field(
        30,
        ge=0,
        le=3600,
        description="s between uplinks of the service's own canary through the whole chain, real time; 0: none",
    )

    @field_validator("heartbeat_s")
    @classmethod
    def _not_too_often(cls, seconds: float) -> float:
        if 0 < seconds < LEAST_HEARTBEAT_S:
            raise ValueError(f"expected 0 or at least {LEAST_HEARTBEAT_S} s")
        return seconds


class Settings(BaseSettings):
    """All settings of the service."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_nested_delimiter="__", frozen=True, extra="forbid")

    city: CitySettings = CitySettings()
    mqtt: MqttSettings = MqttSettings()
    journal: JournalSettings = JournalSettings()
    influxdb: InfluxSettings = InfluxSettings()
    store: StoreSettings = StoreSettings()
    grafana: GrafanaSettings = GrafanaSettings()
    codecs: CodecSettings = CodecSettings()
    rules: RulesSettings = RulesSettings()
    downlinks: DownlinkSettings = DownlinkSettings()
    routes: RoutesSettings = RoutesSettings()
    http: HttpSettings = HttpSettings()
    privacy: PrivacySettings = PrivacySettings()
    simulation: SimulationSettings = SimulationSettings()
    telemetry: TelemetrySettings = TelemetrySettings()

    @model_validator(mode="before")
    @classmethod
    def _refuse_unknown(cls, given: Any) -> Any:  # noqa: ANN401 - whatever the sources hold
        return known_keys(cls, given)

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.mqtt.shared_group and self.city.file:
            raise ValueError("mqtt.shared_group breaks rules and duplicates: leave city.file unset or the group")
        return self

    @classmethod
    @override
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        folder = os.environ.get("STADTFUNK_SECRETS_DIR") or os.environ.get("CREDENTIALS_DIRECTORY")
        sources = [init_settings]
        if folder:
            sources.append(
                NestedSecretsSettingsSource(
                    file_secret_settings,
                    secrets_dir=folder,
                    secrets_dir_missing="error",
                    secrets_prefix="",
                    secrets_nested_delimiter="__",
                )
            )
        sources.append(env_settings)
        if settings_cls.model_config.get("toml_file"):
            sources.append(TomlConfigSettingsSource(settings_cls))
        return tuple(sources)


def settings_file(config: Path | None) -> Path | None:
    """The settings file in use: the given one, else the first that exists of those searched."""
    if config is not None:
        if not config.is_file():
            raise SettingsError(f"settings file {config} does not exist")
        return config
    return next((path for path in SEARCHED if path.is_file()), None)


def load(config: Path | None = None, **arguments: Any) -> Settings:  # noqa: ANN401 - sections as given
    """Read all sources; raises SettingsError with one line for each mistake."""
    file = settings_file(config)

    class Sourced(Settings, toml_file=file):
        """Settings that also read this file."""

    _check_variables()
    try:
        return _with_codecs(Sourced(**arguments), file)
    except SourceError as error:
        raise SettingsError(str(error)) from error
    except ValidationError as error:
        parts = [explain(item) for item in error.errors()]
        raise SettingsError("; ".join(_in_table(file, part) for part in parts)) from error
    except (ValueError, OSError) as error:  # also an integer that Python does not read
        raise SettingsError(f"{file}: {error}") from error
    except RecursionError as error:
        raise SettingsError(f"{file or 'the environment'}: a value nests too deeply") from error


def _in_table(file: Path | None, message: str) -> str:
    """A message about one of many tables with its line, which its number alone hardly tells."""
    return with_lines(file, message) if message.startswith("rules.custom.") else message


def _with_codecs(settings: Settings, file: Path | None) -> Settings:
    """The settings with the folder of codecs beside their file, when they name none."""
    if file is None or settings.codecs.folder is not None:
        return settings
    codecs = settings.codecs.model_copy(update={"folder": file.parent / CODECS})
    return settings.model_copy(update={"codecs": codecs})


class _Given(Settings):
    """Settings that look nowhere else."""

    @classmethod
    @override
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return (init_settings,)


def given(**arguments: Any) -> Settings:  # noqa: ANN401 - sections as given
    """Settings from these arguments alone: no file, no environment, no secrets can leak in."""
    return _Given(**arguments)


def _check_variables() -> None:
    """A variable that names no section would be passed over in silence; raises SettingsError."""
    for name in os.environ:
        upper = name.upper()
        if upper.startswith(PREFIX) and not upper.startswith(OTHER_VARIABLES):
            section = upper.removeprefix(PREFIX).split("__")[0].lower()
            try:
                known_keys(Settings, {section: None})
            except ValueError as error:
                raise SettingsError(f"{name}: {error}") from error


def explain(error: ErrorDetails) -> str:
    """A mistake in one line: key, what was expected, and the value unless it is a secret."""
    where = ".".join(str(part) for part in error["loc"]) or "settings"
    message = error["msg"].removeprefix("Value error, ")
    value = error["input"]
    secret = where.endswith(("password", "token"))
    return f"{where}: {message}" + ("" if secret or isinstance(value, dict | BaseModel) else f" (got {_shown(value)})")


def _shown(value: object) -> str:
    """The value, cut where it is long, without name and password of an address."""
    try:
        return SHORT.repr(ACCOUNT.sub("…", value) if isinstance(value, str) else value)
    except ValueError:
        return "a number of thousands of digits"
