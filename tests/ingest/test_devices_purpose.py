"""Codecs of personal data stay off until a purpose is set."""

import json
from pathlib import Path

import pytest

from decoders.measurement import Reading
from decoders.quantity import Privacy, Quantity
from decoders.uplink import Device
from ingest.devices import Devices
from ingest.settings import Settings, SettingsError, load
from rules.city import City
from tests.ingest.bench import running
from tests.ingest.uplinks import CITY, PROFILES, message

METER = "axioma/qalcosonic-w1"
PROFILE = "Axioma W1"
PURPOSE = "billing of water, § 1 of the statute"
VOLUME = bytes.fromhex("00000000002895010000000000000000 00")


def settings(folder: Path, purpose: dict[str, str]) -> Settings:
    """A service that knows a household meter's profile."""
    (folder / "city.geojson").write_text(json.dumps(CITY))
    return load(
        city={"file": folder / "city.geojson"},
        journal={"path": folder / "journal.db"},
        codecs={"profiles": {**PROFILES, PROFILE: METER}},
        privacy={"purpose": purpose},
        http={"enabled": False},
    )


def devices(folder: Path, purpose: dict[str, str]) -> Devices:
    """The routes under a purpose."""
    return Devices(settings(folder, purpose), City())


def device(**tags: str) -> Device:
    """A water meter of some household."""
    return Device("70b3d57ed0000001", "meter", PROFILE, "1", "water", tags)


@pytest.mark.parametrize("purpose", [{}, {"elvaco/*": PURPOSE}, {"axioma/other": PURPOSE}])
def test_without_a_purpose_the_codec_stays_off(tmp_path: Path, purpose: dict[str, str]) -> None:
    """No codec, a problem that names the setting, and still the class of a personal device."""
    route = devices(tmp_path, purpose).route(device())
    assert route.codec is None
    assert route.problem == (
        "codec axioma/qalcosonic-w1 reads personal data: set privacy.purpose for 'axioma/qalcosonic-w1' or 'axioma/*'"
    )
    assert route.privacy is Privacy.PERSONAL
    assert route.self_privacy is Privacy.PERSONAL


@pytest.mark.parametrize("key", [METER, "axioma/*"])
def test_a_purpose_turns_it_on(tmp_path: Path, key: str) -> None:
    """For the codec itself, or for all of its vendor."""
    route = devices(tmp_path, {key: PURPOSE}).route(device())
    assert route.codec is not None
    assert route.codec.id == METER
    assert route.problem == ""
    assert route.privacy is Privacy.PERSONAL


def test_a_codec_named_by_a_tag_needs_it_too(tmp_path: Path) -> None:
    """The tag wins over the profile, not over the purpose."""
    route = devices(tmp_path, {METER: PURPOSE}).route(device(codec="digital-matter/oyster"))
    assert route.codec is None
    assert "digital-matter/oyster" in route.problem


def test_other_codecs_need_none(tmp_path: Path) -> None:
    """Open and internal ones are on."""
    route = devices(tmp_path, {}).route(device(codec="bosch/tps110"))
    assert route.codec is not None
    assert route.privacy is Privacy.INTERNAL


@pytest.mark.parametrize("purpose", [{METER: ""}, {METER: "  "}, {"axioma": PURPOSE}, {"a/b/c": PURPOSE}])
def test_a_purpose_says_what_for(tmp_path: Path, purpose: dict[str, str]) -> None:
    """An empty text and a name that is neither of a codec nor of a vendor are refused."""
    with pytest.raises(SettingsError, match=r"privacy\.purpose"):
        settings(tmp_path, purpose)


async def test_what_a_codec_that_is_off_would_read_is_a_personal_dead_letter(tmp_path: Path) -> None:
    """The payload is kept in the personal class alone, with the problem as its detail; no reading is stored."""
    async with running(settings(tmp_path, {})) as bench:
        await bench.send(message(1, profile=PROFILE, payload=VOLUME, f_port=100))
        assert await bench.letters() == [("no_purpose", "open")]
        rows = await bench.service.journal.query(
            lambda connection: connection.execute("SELECT privacy, detail FROM dead_letter").fetchall()
        )
        assert [row[0] for row in rows] == [int(Privacy.PERSONAL)]
        assert "privacy.purpose" in rows[0][1]
        assert not [line for line in await bench.lines() if "volume_total" in line]


async def test_with_a_purpose_its_readings_are_stored(tmp_path: Path) -> None:
    """The same uplink under a purpose."""
    assert Reading(Quantity.VOLUME_TOTAL, 103720.0).quantity.privacy is Privacy.OPEN
    async with running(settings(tmp_path, {"axioma/*": PURPOSE})) as bench:
        await bench.send(message(1, profile=PROFILE, payload=VOLUME, f_port=100))
        assert await bench.letters() == []
        assert [line for line in await bench.lines() if "volume_total=103720" in line]
