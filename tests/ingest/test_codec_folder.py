"""The folder of vendors' codecs: read, followed while the service runs, and never worse than it was."""

import asyncio
import errno
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import structlog
from pydantic import ValidationError

from decoders.error import UnknownCodec
from decoders.javascript import ScriptCodec
from decoders.mapping import ObjectCodec
from decoders.quantity import Family, Privacy, Quantity
from decoders.uplink import Device
from ingest.codecs import folder as codec_folder
from ingest.codecs.folder import Library
from ingest.codecs.version import InForce, fingerprint
from ingest.devices import Devices
from ingest.settings import CodecSettings, PrivacySettings, Settings, given, load
from rules.city import City
from tests.ingest.bench import Bench, city_settings, running, until
from tests.ingest.uplinks import message

SCRIPT = "function Decoder(b) { return {temperature: b[0] / %d}; }"
NAME = "js/acme/th"


def put(path: Path, text: str, tick: list[int] = [0]) -> None:  # noqa: B006 - one count for all files
    """Write a file of the folder, each time with another modification time."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    tick[0] += 1
    os.utime(path, ns=(tick[0] * 10**9, tick[0] * 10**9))


def library(folder: Path, **profiles: str) -> Library:
    """The codecs of a folder."""
    return Library(CodecSettings(folder=folder, profiles=profiles))


def follow(known: Library) -> bool:
    """Two looks, as the service does it; whether something was taken."""
    taken = False
    for _ in range(2):
        content = known.look()
        if content is not None:
            known.take(content)
            taken = True
    return taken


def value(known: Library, name: str = NAME, byte: int = 100) -> float:
    """What the codec makes of a byte."""
    return known.codec(name).decode(1, bytes([byte]), 0)[0].readings[0].value


def test_a_folder_is_read_at_start(tmp_path: Path) -> None:
    """Scripts one folder deep get ids by their path, and what lies beside says more of them."""
    put(tmp_path / "acme" / "th.js", SCRIPT % 10)
    put(tmp_path / "own.js", SCRIPT % 1)
    put(
        tmp_path / "acme" / "bin.js",
        "function Decoder(b) { return {level: b[0]}; }",
    )
    table = 'vendor = "ACME"\nmodel = "Bin 1"\nfamily = "waste"\nprivacy = "personal"\n'
    put(tmp_path / "acme" / "bin.toml", f'{table}[[field]]\npath = "level"\nquantity = "fill_level"\n')
    put(tmp_path / ".git" / "hidden.js", "(")
    put(tmp_path / "acme" / "deep" / "er.js", "(")
    known = library(tmp_path)
    assert set(known.content.scripts) == {NAME, "js/own", "js/acme/bin"}
    assert known.problems() == {}
    made = known.codec("js/acme/bin")
    assert (made.vendor, made.model, made.family, made.privacy) == ("ACME", "Bin 1", Family.WASTE, Privacy.PERSONAL)
    assert made.decode(1, b"\x32", 0)[0].readings == ((Quantity.FILL_LEVEL, 50.0, ""),)
    assert (known.codec(NAME).vendor, known.codec(NAME).model) == ("acme", "th")
    assert value(known) == 10
    assert known.codec("bosch/tps110").vendor == "Bosch"


@pytest.mark.parametrize("name", ["js/acme/tj", "js/x"])
def test_an_unknown_script_is_named(tmp_path: Path, name: str) -> None:
    """With the nearest one, or with the folder."""
    put(tmp_path / "acme" / "th.js", SCRIPT % 10)
    with pytest.raises(UnknownCodec, match=f"js/acme/th|{tmp_path}"):
        library(tmp_path).codec(name)
    with pytest.raises(UnknownCodec, match="not set"):
        Library(CodecSettings()).codec(name)


def test_profiles_of_the_folder_yield_to_the_settings(tmp_path: Path) -> None:
    """ChirpStack's names work without a line in the settings; a line there wins."""
    put(tmp_path / "profiles.toml", '[profiles]\n"Acme TH" = "js/acme/th"\n"Other" = "js/acme/th"\n')
    assert library(tmp_path, Other="bosch/tps110").profiles == {"Acme TH": NAME, "Other": "bosch/tps110"}


@pytest.mark.parametrize("text", ["profiles = 1", "[profiles]\na = 1", "=", "a = " + "[" * 5000, "a = " + "1" * 5000])
def test_profiles_that_cannot_be_read_are_refused(tmp_path: Path, text: str) -> None:
    """Those that were there stay, and nothing else is held up."""
    put(tmp_path / "acme" / "th.js", SCRIPT % 10)
    put(tmp_path / "profiles.toml", '[profiles]\n"Acme TH" = "js/acme/th"\n')
    known = library(tmp_path)
    put(tmp_path / "profiles.toml", text)
    put(tmp_path / "acme" / "th.js", SCRIPT % 5)
    assert follow(known)
    assert "codec file profiles.toml" in known.problems()
    assert known.profiles == {"Acme TH": NAME}
    assert value(known) == 20


def test_a_changed_file_is_taken_once_it_rests(tmp_path: Path) -> None:
    """Not while it is being written: what two looks in a row find the same is taken, and no sooner."""
    path = tmp_path / "acme" / "th.js"
    put(path, SCRIPT % 10)
    known = library(tmp_path)
    assert not follow(known)
    put(path, SCRIPT % 5)
    assert known.look() is None
    put(path, SCRIPT % 2)
    assert known.look() is None
    assert value(known) == 10
    content = known.look()
    assert content is not None
    assert value(known) == 10
    known.take(content)
    assert value(known) == 50
    assert known.generation == 1
    assert not follow(known)


def test_a_broken_file_is_refused_and_the_old_one_stays(tmp_path: Path) -> None:
    """With one line in the log, and shown as a problem until it is mended."""
    path = tmp_path / "acme" / "th.js"
    put(path, SCRIPT % 10)
    known = library(tmp_path)
    put(path, "function Decoder( {")
    before = known.content
    assert follow(known)
    assert value(known) == 10
    assert known.generation == 0
    assert "SyntaxError" in known.problems()["codec file acme/th.js"]
    with structlog.testing.capture_logs() as logged:
        codec_folder.tell(before, known.content)
        codec_folder.tell(known.content, known.content)
    assert [line["file"] for line in logged] == ["acme/th.js"]
    assert not follow(known)
    put(path, SCRIPT % 4)
    assert follow(known)
    assert known.problems() == {}
    assert value(known) == 25


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("while (true);", "no answer within 500 ms"),
        ("throw new Error('at load');", "at load"),
        ("var x;", "none of"),
        ("\udcff", "UTF-8"),
        (f"// {'x' * 1_000_000}", "more than 1000000 bytes"),
    ],
    ids=["endless", "fails", "no function", "bytes", "huge"],
)
def test_a_changed_file_is_tried_first(tmp_path: Path, text: str, problem: str) -> None:
    """It is loaded before it is taken; what cannot be used never comes into force."""
    path = tmp_path / "acme" / "th.js"
    put(path, SCRIPT % 10)
    known = library(tmp_path)
    path.write_bytes(text.encode(errors="surrogateescape"))
    assert follow(known)
    assert problem in known.problems()["codec file acme/th.js"]
    assert value(known) == 10


@pytest.mark.parametrize(
    ("table", "problem"),
    [
        ('familly = "waste"', "did you mean 'family'"),
        ('family = "rubbish"', "rubbish"),
        ('privacy = "secret"', "open, internal, personal"),
        ("[[field]]\npath = 'x'\nquantity = 'temprature'", "temprature"),
        ("= 1", "line 1"),
        ("vendor = " + "[" * 5000, "recursion"),
        ("vendor = " + "1" * 5000, "4300 digits"),
        ('time = { path = "t", as = "iso" }', "only a table with [[field]]"),
    ],
)
def test_a_bad_table_is_refused_with_its_script(tmp_path: Path, table: str, problem: str) -> None:
    """The reason names what is wrong in it."""
    put(tmp_path / "acme" / "th.js", SCRIPT % 10)
    put(tmp_path / "acme" / "th.toml", table)
    known = library(tmp_path)
    assert problem in known.problems()["codec file acme/th.js"]
    assert known.content.scripts == {}


def test_a_table_that_changes_counts(tmp_path: Path) -> None:
    """The script is read again with its new table, under another fingerprint."""
    put(tmp_path / "acme" / "th.js", SCRIPT % 10)
    known = library(tmp_path)
    before = fingerprint(known.codec(NAME))
    put(tmp_path / "acme" / "th.toml", "[[field]]\npath = 'temperature'\nquantity = 'water_temperature'\n")
    assert follow(known)
    assert known.codec(NAME).decode(1, b"\1", 0)[0].readings[0].quantity is Quantity.WATER_TEMPERATURE
    assert fingerprint(known.codec(NAME)) != before


def test_what_goes_away_is_gone_but_not_with_the_folder(tmp_path: Path) -> None:
    """A file that is deleted, after two looks; a folder that cannot be seen leaves all that was read."""
    folder = tmp_path / "codecs"
    put(folder / "acme" / "th.js", SCRIPT % 10)
    put(folder / "own.js", SCRIPT % 1)
    put(folder / "profiles.toml", '[profiles]\n"A" = "js/own"\n')
    known = library(folder)
    (folder / "own.js").unlink()
    assert known.look() is None
    assert follow(known)
    with pytest.raises(UnknownCodec):
        known.codec("js/own")
    folder.rename(tmp_path / "away")
    assert follow(known)
    assert "what was read before stays" in known.problems()[f"codec file {folder}"]
    assert value(known) == 10
    assert known.profiles == {"A": "js/own"}
    (tmp_path / "away").rename(folder)
    assert follow(known)
    assert known.problems() == {}


def test_links_out_of_the_folder_are_refused(tmp_path: Path) -> None:
    """Links within are followed, as Kubernetes lays out its volumes; one to elsewhere, or to nothing, is a problem."""
    put(tmp_path / "elsewhere.js", SCRIPT % 1)
    folder = tmp_path / "codecs"
    put(folder / "..data" / "th.js", SCRIPT % 10)
    (folder / "acme").mkdir()
    (folder / "acme" / "th.js").symlink_to(folder / "..data" / "th.js")
    (folder / "acme" / "out.js").symlink_to(tmp_path / "elsewhere.js")
    (folder / "acme" / "none.js").symlink_to(tmp_path / "nothing.js")
    known = library(folder)
    assert set(known.content.scripts) == {NAME}
    assert known.problems() == {
        "codec file acme/out.js": "a link out of the folder",
        "codec file acme/none.js": "No such file or directory",
    }


Change = Callable[[Path], object]


def instead(make: Change) -> Change:
    """Take the file away, and make something else of its name."""

    def change(path: Path) -> None:
        path.unlink()
        make(path)

    return change


UNUSABLE: dict[str, tuple[Change, str]] = {
    "folder": (instead(Path.mkdir), "no file"),
    "pipe": (instead(os.mkfifo), "no file"),
    "link to itself": (instead(lambda path: path.symlink_to(path)), "symbolic links"),
    "device": (instead(lambda path: path.symlink_to("/dev/zero")), "a link out of the folder"),
    "binary": (lambda path: path.write_bytes(b"\x7fELF\xff"), "not UTF-8"),
    "empty": (lambda path: path.write_text(""), "none of decodeUplink"),
    "goes on": (lambda path: path.write_text("var a = []; a.length = 4294967295; a.sort();"), "had to be ended"),
}


@pytest.mark.parametrize("what", UNUSABLE)
def test_what_takes_the_place_of_a_script_does_not_take_its_codec_away(tmp_path: Path, what: str) -> None:
    """A thing that cannot be used is named, what was read stays in use, and all is well once the file is back."""
    path = tmp_path / "acme" / "th.js"
    put(path, SCRIPT % 10)
    known = library(tmp_path)
    change, problem = UNUSABLE[what]
    change(path)
    assert follow(known)
    assert problem in known.problems()["codec file acme/th.js"]
    assert value(known) == 10
    assert not follow(known)
    if path.is_dir():
        path.rmdir()
    path.unlink(missing_ok=True)
    put(path, SCRIPT % 5)
    assert follow(known)
    assert known.problems() == {}
    assert value(known) == 20


def test_a_folder_below_that_leads_out_is_refused(tmp_path: Path) -> None:
    """A link to a folder elsewhere is no better than one to a file elsewhere."""
    folder, elsewhere = tmp_path / "codecs", tmp_path / "elsewhere"
    put(elsewhere / "th.js", SCRIPT % 10)
    folder.mkdir()
    (folder / "acme").symlink_to(elsewhere)
    known = library(folder)
    assert known.content.scripts == {}
    assert known.problems() == {"codec file acme/th.js": "a link out of the folder"}


def test_a_folder_below_that_cannot_be_looked_into_keeps_its_codecs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The others go on being followed."""
    put(tmp_path / "acme" / "th.js", SCRIPT % 10)
    put(tmp_path / "own.js", SCRIPT % 1)
    known = library(tmp_path)
    entries = Path.iterdir

    def iterdir(path: Path) -> Iterator[Path]:
        if path.name == "acme":
            raise PermissionError(errno.EACCES, "Permission denied")
        return entries(path)

    monkeypatch.setattr(Path, "iterdir", iterdir)
    put(tmp_path / "own.js", SCRIPT % 2)
    assert follow(known)
    assert known.problems() == {"codec file acme": "Permission denied"}
    assert (value(known), value(known, "js/own")) == (10, 50)
    monkeypatch.undo()
    assert follow(known)
    assert known.problems() == {}
    assert value(known) == 10


def test_a_table_that_cannot_be_used_does_not_leave_its_script_without_one(tmp_path: Path) -> None:
    """The script is not read by common names meanwhile."""
    script, table = tmp_path / "th.js", tmp_path / "th.toml"
    put(script, SCRIPT % 10)
    put(table, "[[field]]\npath = 'temperature'\nquantity = 'water_temperature'\n")
    known = library(tmp_path)
    table.unlink()
    table.mkdir()
    assert follow(known)
    assert known.problems() == {"codec file th.toml": "no file"}
    assert known.codec("js/th").decode(1, b"\1", 0)[0].readings[0].quantity is Quantity.WATER_TEMPERATURE


def test_a_change_that_keeps_size_and_time_is_seen(tmp_path: Path) -> None:
    """As tools leave it that put back the time of a file."""
    path = tmp_path / "acme" / "th.js"
    put(path, SCRIPT % 10)
    known = library(tmp_path)
    found = path.stat()
    with path.open("r+") as file:
        file.write(SCRIPT % 20)
    os.utime(path, ns=(found.st_atime_ns, found.st_mtime_ns))
    assert follow(known)
    assert value(known) == 5


@pytest.mark.parametrize("name", ["a\nb.js", "a\x1bb.toml", os.fsdecode(b"a\xff.js")])
def test_a_name_that_cannot_be_shown_is_refused(tmp_path: Path, name: str) -> None:
    """And is named by escapes."""
    put(tmp_path / name, SCRIPT % 10)
    known = library(tmp_path)
    assert known.content.scripts == {}
    ((shown, reason),) = known.problems().items()
    assert reason == "a name that cannot be shown"
    assert shown.isprintable()


def test_routes_are_made_anew_with_another_codec(tmp_path: Path) -> None:
    """A device that was known gets the new one, and no codec once it is gone."""
    path = tmp_path / "acme" / "th.js"
    put(path, SCRIPT % 10)
    put(tmp_path / "profiles.toml", '[profiles]\n"Acme" = "js/acme/th"\n')
    known = library(tmp_path)
    devices = Devices(given(), City(), library=known)
    device = Device("70b3d57ed0000001", "x", "Acme", "1", "city", {})
    first = devices.route(device)
    assert isinstance(first.codec, ScriptCodec)
    assert devices.route(device) is first
    put(path, SCRIPT % 5)
    follow(known)
    second = devices.route(device).codec
    assert second is not None
    assert second is not first.codec
    path.unlink()
    follow(known)
    assert "unknown codec 'js/acme/th'" in devices.route(device).problem


def test_a_personal_script_needs_a_purpose(tmp_path: Path) -> None:
    """Named by itself, or with all of its vendor's."""
    put(tmp_path / "acme" / "th.js", SCRIPT % 10)
    put(tmp_path / "acme" / "th.toml", 'privacy = "personal"')
    device = Device("70b3d57ed0000001", "x", "", "1", "city", {"codec": NAME})
    for key, stays_off in ((NAME, False), ("js/acme/*", False), ("js/other/*", True)):
        settings = given(codecs={"folder": tmp_path}, privacy={"purpose": {key: "as decided"}})
        assert bool(Devices(settings, City()).route(device).problem) is stays_off
    with pytest.raises(ValidationError):
        PrivacySettings(purpose={"a/b/c/d": "x"})


def test_the_folder_is_beside_the_settings_file(tmp_path: Path) -> None:
    """Unless the settings name another; without a file there is none."""
    file = tmp_path / "stadtfunk.toml"
    file.write_text("")
    assert load(file).codecs.folder == tmp_path / "codecs"
    file.write_text('[codecs]\nfolder = "/srv/codecs"\n')
    assert load(file).codecs.folder == Path("/srv/codecs")
    assert given().codecs.folder is None


def test_what_is_in_force_names_scripts_and_profiles(tmp_path: Path) -> None:
    """A replay can tell what read a message: the digest changes with a script's text, and is the same for the same."""
    path = tmp_path / "acme" / "th.js"
    put(path, SCRIPT % 10)
    put(tmp_path / "profiles.toml", '[profiles]\n"Acme" = "js/acme/th"\n')
    settings = CodecSettings(folder=tmp_path)
    first = InForce.now(settings)
    version = first.of(Device("70b3d57ed0000001", "x", "Acme", "1", "city", {}))
    assert version is not None
    assert version.id == NAME
    assert InForce.now(settings).digest == first.digest
    put(path, SCRIPT % 5)
    assert InForce.now(settings).digest != first.digest


# -- in a service ------------------------------------------------------------------------------------------------------


def with_scripts(tmp_path: Path) -> Settings:
    """A service with a folder of codecs."""
    settings = city_settings(tmp_path)
    folder = tmp_path / "codecs"
    put(folder / "acme" / "th.js", SCRIPT % 10)
    put(folder / "profiles.toml", '[profiles]\n"Acme" = "js/acme/th"\n')
    codecs = settings.codecs.model_copy(update={"folder": folder})
    return settings.model_copy(update={"codecs": codecs})


async def temperatures(bench: Bench) -> list[str]:
    """The field of every point of air temperature, in the order of commits."""
    lines = await bench.lines()
    return [line.split(" ")[-2] for line in lines if "air_temperature=" in line]


async def test_a_codec_changes_while_messages_flow_and_none_is_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every message is decoded once, by the old or by the new codec, the old ones first; who changed it is kept."""
    monkeypatch.setattr(codec_folder, "LOOK_S", 0.02)
    sent = 0
    async with running(with_scripts(tmp_path)) as bench, asyncio.TaskGroup() as group:
        following = group.create_task(bench.service._follow_codecs())

        async def send() -> None:
            nonlocal sent
            sent += 5
            await bench.send(*(message(n, profile="Acme", payload=b"\x64", f_cnt=n) for n in range(sent - 5, sent)))

        await send()
        put(tmp_path / "codecs" / "acme" / "th.js", SCRIPT % 5)
        async with asyncio.timeout(60):
            while bench.service.library.generation == 0:
                await send()
        await send()
        put(tmp_path / "codecs" / "acme" / "th.js", "(")
        await until(bench.service.library.problems)
        await send()
        found = await temperatures(bench)
        assert len(found) == sent
        assert found == sorted(found)
        assert set(found) == {"air_temperature=10.0", "air_temperature=20.0"}
        assert await bench.letters() == []
        status = await bench.service.status()
        assert "SyntaxError" in status["warnings"]["codec file acme/th.js"]
        digest = InForce.with_folder(bench.service.library, bench.service.library.content).digest
        rows = await bench.service.journal.query(
            lambda c: [tuple(row) for row in c.execute("SELECT actor, action, detail FROM audit")]
        )
        assert rows == [("service", "codecs reload", digest)]
        noted = await bench.service.journal.query(
            lambda c: c.execute("SELECT value FROM meta WHERE key = 'codecs'").fetchone()[0]
        )
        assert noted == digest
        following.cancel()


async def test_hostile_script_is_a_dead_letter_and_the_rest_goes_on(tmp_path: Path) -> None:
    """Its messages are kept with the reason; other devices' are stored."""
    settings = with_scripts(tmp_path)
    put(tmp_path / "codecs" / "acme" / "th.js", "function Decoder(b) { while (true); }")
    async with running(settings) as bench:
        await bench.send(
            *(message(n, profile="Acme", f_cnt=n) for n in range(5)), message(9, f_cnt=9, dev_eui="70b3d57ed0000002")
        )
        assert [reason for reason, _ in await bench.letters()] == ["decode"] * 5
        assert any(line.startswith("parking,") for line in await bench.lines())
        assert "not asked again" in (await bench.service.status())["warnings"][f"codec {NAME}"]


def test_a_table_alone_is_a_codec_for_decoded_objects(tmp_path: Path) -> None:
    """`acme/bench.toml` without a script beside it reads what ChirpStack decoded; one that is broken is refused."""
    (tmp_path / "acme").mkdir()
    table = tmp_path / "acme" / "bench.toml"
    table.write_text('family = "waste"\n[[field]]\npath = "cm"\nquantity = "distance"\nunit = "cm"\n')
    known = Library(CodecSettings(folder=tmp_path))
    codec = known.codec("object/acme/bench")
    assert isinstance(codec, ObjectCodec)
    assert codec.read({"cm": 12.5}, 0)[0].readings[0].value == 125.0
    assert known.problems() == {}
    table.write_text('[[field]]\npath = "cm"\nquantity = "distanse"\n')
    known.look()
    content = known.look()
    assert content is not None
    known.take(content)
    assert known.codec("object/acme/bench") is codec, "the old one stays"
    assert "did you mean 'distance'" in known.problems()["codec file acme/bench.toml"]
    table.unlink()
    known.look()
    content = known.look()
    assert content is not None
    known.take(content)
    with pytest.raises(UnknownCodec, match="object/acme/bench"):
        known.codec("object/acme/bench")
    known.close()


def test_a_script_takes_the_table_beside_it(tmp_path: Path) -> None:
    """Once a script of the same name comes, the table is its, and stands alone no more."""
    (tmp_path / "x.toml").write_text('[[field]]\npath = "cm"\nquantity = "distance"\nunit = "cm"\n')
    known = Library(CodecSettings(folder=tmp_path))
    assert set(known.content.scripts) == {"object/x"}
    (tmp_path / "x.js").write_text("function Decoder(bytes, port) { return {cm: bytes[0]}; }")
    known.look()
    content = known.look()
    assert content is not None
    assert set(content.scripts) == {"js/x"}
    known.close()
