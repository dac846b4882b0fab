"""Fingerprints of codecs: the same in every process, others as soon as a codec would read otherwise."""

import contextlib
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace

import pytest

from decoders import catalog
from decoders.choice import Choice
from decoders.codec import Codec
from decoders.devices import bosch
from decoders.error import DecodeError
from decoders.field import Bits, Field
from decoders.layout import Layout
from decoders.quantity import Family, Quantity
from ingest import chirpstack
from ingest.codecs.version import InForce, fingerprint, note
from ingest.settings import CodecSettings
from tests.decoders.published import VECTORS
from tests.ingest.uplinks import event

PRINT_ALL = """
from decoders import catalog
from ingest.codecs.version import fingerprint
print(*map(fingerprint, catalog.CODECS))
"""


def test_every_process_finds_the_same() -> None:
    """Neither addresses nor hash seeds stand in a fingerprint."""
    here = " ".join(map(fingerprint, catalog.CODECS))
    environment = {**os.environ, "PYTHONHASHSEED": "7"}
    there = subprocess.run(
        [sys.executable, "-c", PRINT_ALL], check=True, capture_output=True, text=True, env=environment
    )
    assert there.stdout.strip() == here


def test_use_changes_nothing() -> None:
    """A codec that has decoded, also with the figures of some device, is the same codec."""
    before = [fingerprint(codec) for codec in catalog.CODECS]
    for vector in VECTORS:
        figures = {name: value * 2 for name, value in vector.parameters.items()}
        with contextlib.suppress(DecodeError):
            catalog.codec(vector.codec).decode(vector.f_port, vector.payload, 0, figures)
    assert [fingerprint(codec) for codec in catalog.CODECS] == before


def test_no_two_codecs_have_one_fingerprint() -> None:
    """It says which codec it is."""
    assert len(set(map(fingerprint, catalog.CODECS))) == len(catalog.CODECS)


def by(form: Callable[[bytes], str]) -> Codec:
    """A codec whose start-up frames are told apart by this function."""
    frames = {"0.39": bosch.STARTUP_039, "0.29": bosch.STARTUP_029}
    return replace(bosch.TPS110, ports={3: Choice(frames, form)})


def test_another_function_changes_it() -> None:
    """Functions of one module are told apart, too."""
    assert fingerprint(by(bosch._startup_form)) != fingerprint(by(bosch._debug_form))


@pytest.mark.parametrize(
    "other",
    [
        replace(bosch.TPS110, ports={**bosch.TPS110.ports, 1: Layout(">", Bits("B", Field(Quantity.OCCUPIED, "1")))}),
        replace(bosch.TPS110, ports={**bosch.TPS110.ports, 8: bosch.TPS110.ports[1]}),
        replace(bosch.TPS110, family=Family.TRAFFIC),
        replace(
            bosch.TPS110,
            ports={**bosch.TPS110.ports, 7: Layout(">", Field(Quantity.DEVICE_TEMPERATURE, "b", divisor=10))},
        ),
    ],
    ids=["another bit", "another port", "another family", "another divisor"],
)
def test_a_changed_table_changes_it(other: Codec) -> None:
    """Every figure of a table counts."""
    assert fingerprint(other) != fingerprint(bosch.TPS110)
    assert fingerprint(replace(other, ports=bosch.TPS110.ports, family=Family.PARKING)) == fingerprint(bosch.TPS110)


def test_what_is_in_force_names_a_devices_codec() -> None:
    """The tag `codec` wins over the profile; what was noted reads the same."""
    words: dict[str, str] = {}
    in_force = InForce.now(CodecSettings(profiles={"Bosch TPS110": "bosch/tps110"}))
    note(words.__setitem__, in_force)
    kept = InForce.parse(words[f"codecs/{words['codecs']}"])
    assert kept == in_force
    for tags, expected in (({}, "bosch/tps110"), ({"codec": "elsys/generic"}, "elsys/generic"), ({"codec": "x"}, None)):
        made = event()
        made["deviceInfo"]["tags"] = tags
        info = chirpstack.DeviceInfo.model_validate(made["deviceInfo"])
        version = kept.of(chirpstack.device(info))
        assert (version.id if version else None) == expected
