"""Fuzzed: settings, from TOML text and from environment variables."""

import math
import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from random import Random
from unittest.mock import patch

from pydantic import BaseModel, SecretStr

from ingest.chirpstack import topic_parser
from ingest.settings import PREFIX, Settings, SettingsError, load
from tests.fuzz.mutation import NUMBERS, TOKENS, WORDS, mutate_bytes
from tests.fuzz.target import Target

SEPARATOR = b"\xff"
MOST_KEYS = 5
SECTIONS = {
    name: tuple(info.annotation.model_fields)
    for name, info in Settings.model_fields.items()
    if isinstance(info.annotation, type) and issubclass(info.annotation, BaseModel)
}
TOML_VALUES = (
    *("inf", "-inf", "nan", "0x10", "1_000", "1979-05-27T07:32:00Z", "0001-01-01", "07:32:00", "'x'", "[[1]]", "true"),
    *(
        '"\\u0000"',
        '"\\ud800"',
        '"0123"',
        "[1, 2",
        "{a = 1, a = 2}",
        '{"" = 1}',
        "'''\n'''",
        '"open"',
        "0x" + "f" * 5000,
    ),
    *("[" * 1200, "[" * 300 + "]" * 300, "{a=" * 1200, "0x" + "f" * 5000),
)
WHOLE = """
[mqtt]
host = "127.0.0.1"
port = 1883
encoding = "auto"
[city]
timezone = "Europe/Berlin"
[journal]
path = "var/journal.db"
tick_s = 10.0
[codecs.profiles]
"Bosch TPS110" = "bosch/tps110"
[privacy.applications]
city = "internal"
"""
VARIABLES = b'MQTT__HOST\xff127.0.0.1\xffJOURNAL__TICK_S\xff10\xffCODECS__PROFILES\xff{"Bosch TPS110": "bosch/tps110"}'


def run_file(data: bytes) -> None:
    """Settings from a TOML file of these bytes."""
    with _file(data) as path, patch.object(os, "environ", {}):
        check(load(path))


def run_environment(data: bytes) -> None:
    """Settings from variables: name (without our prefix) and value in turn, between ff bytes."""
    pieces = [os.fsdecode(piece.replace(b"\0", b"")) for piece in data.split(SEPARATOR)]
    given = {PREFIX + name.replace("=", ""): value for name, value in zip(pieces[::2], pieces[1::2], strict=False)}
    # The C library never frees a variable's old value: a million real ones would not fit into memory.
    with _file(b"") as path, patch.object(os, "environ", given):
        check(load(path))


@contextmanager
def _file(data: bytes) -> Iterator[Path]:
    with tempfile.NamedTemporaryFile(suffix=".toml") as file:
        file.write(data)
        file.flush()
        yield Path(file.name)


def check(settings: Settings) -> None:
    """Every number is finite and fits 64 bits, every text can be written, every path be opened, the topic be used."""
    for value in _values(settings):
        if isinstance(value, float):
            assert math.isfinite(value)
        elif isinstance(value, int):
            assert abs(value) < 2**63
        elif isinstance(value, str):
            assert value.encode("utf-8") is not None
        elif isinstance(value, Path):
            assert "\0" not in str(value)
    topic_parser(settings.mqtt.event_topic)
    assert int(settings.journal.tick_s * 1000) > 0


def _values(model: BaseModel) -> Iterator[object]:
    for _, value in model:
        if isinstance(value, BaseModel):
            yield from _values(value)
        elif isinstance(value, dict):
            yield from (*value, *value.values())
        else:
            yield value.get_secret_value() if isinstance(value, SecretStr) else value


def mutate_toml(random: Random, data: bytes, others: Sequence[bytes]) -> bytes:
    """Keys of ours with values of any kind; half of the time damage to the bytes."""
    if random.randint(0, 1):
        return mutate_bytes(random, data, others)
    lines = []
    for _ in range(random.randint(1, MOST_KEYS)):
        section = random.choice(list(SECTIONS))
        key = random.choice((*SECTIONS[section], "x"))
        lines += [f"[{section}]", f"{key} = {random.choice((*TOML_VALUES, *TOKENS))}"]
    return "\n".join(lines).encode("utf-8", "surrogatepass")


def mutate_variables(random: Random, data: bytes, others: Sequence[bytes]) -> bytes:
    """Names of ours, whole sections too, with values of any kind; half of the time damage to the bytes."""
    if random.randint(0, 1):
        return mutate_bytes(random, data, others)
    pieces = []
    for _ in range(random.randint(1, MOST_KEYS)):
        section = random.choice(list(SECTIONS))
        key = random.choice((*SECTIONS[section], "x"))
        name = random.choice((section, f"{section}__{key}", f"{section}__{key}__y", f"{section}__"))
        value = random.choice((*NUMBERS, *WORDS, *TOKENS, *TOML_VALUES))
        pieces += [name.upper().encode(), value.encode("utf-8", "surrogatepass").replace(b"\0", b"")]
    return SEPARATOR.join(pieces)


TARGETS = (
    Target(
        name="settings/toml", run=run_file, refuses=(SettingsError,), seeds=(WHOLE.encode(), b""), mutate=mutate_toml
    ),
    Target(
        name="settings/environment",
        run=run_environment,
        refuses=(SettingsError,),
        seeds=(VARIABLES, b"MQTT\xff{}"),
        mutate=mutate_variables,
    ),
)
