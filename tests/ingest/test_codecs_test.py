"""`stadtfunk codecs test` and `codecs import` on repositories of both layouts, sound and broken."""

import json
import os
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from ingest import cli, yaml_core
from ingest.audit import operating_system_user
from ingest.codecs.folder import Library
from ingest.codecs.repository import usable_name
from ingest.codecs.trial import difference
from ingest.settings import CodecSettings

SCRIPT = """
function decodeUplink(input) {
  var b = input.bytes;
  if (b.length !== 3) return {errors: ["wrong length"]};
  return {data: {temperature: (b[0] << 8 | b[1]) / 10, humidity: b[2], at: input.recvTime.toISOString()}};
}
function encodeDownlink(input) { return {bytes: [1, input.data.minutes], fPort: 7}; }
"""
DECODE = """[ // as ChirpStack's own files are written
  {name: "good", input: {fPort: 0x02, bytes: [0x00, 0xd7, 50,], recvTime: "1970-01-01T00:00:01.000+00:00"},
   "expected": {"data": {"temperature": 21.50000001, "humidity": 50, "at": "1970-01-01T00:00:01.000Z"}, errors: []}},
  {name: "short", input: {fPort: 2, bytes: []}, expected: {errors: ["wrong length"]}}, /* the last one */
]"""
ENCODE = '[{"name": "set", "input": {"data": {"minutes": 10}}, "expected": {"bytes": [1, 10]}}]'
CODEC_YAML = """
uplinkDecoder:
  fileName: th1.js
  examples:
    - description: good
      input: {fPort: 2, bytes: [0x00, 0xD7, 0x32], recvTime: 1970-01-01T00:00:01Z}
      output: {data: {temperature: 21.5, humidity: 50, at: 1970-01-01T00:00:01.000Z}, warnings: []}
downlinkEncoder:
  fileName: th1.js
  examples:
    - description: set
      input: {data: {minutes: 3}}
      output: {bytes: [1, 3], fPort: 7}
"""
DEVICE_YAML = "name: TH1\nfirmwareVersions:\n  - profiles:\n      EU863-870: {id: p, codec: th1-codec}\n"


def write(path: Path, text: str) -> Path:
    """A file with the folders above it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


@pytest.fixture
def chirpstack(tmp_path: Path) -> Path:
    """A repository as ChirpStack's, with one sound codec."""
    vendor = tmp_path / "profiles" / "vendors" / "acme"
    write(vendor / "vendor.toml", '[vendor]\nname = "Acme"\n')
    write(vendor / "devices" / "th1.toml", '[device]\nname = "TH 1"\n[[device.firmware]]\ncodec = "th1.js"\n')
    write(vendor / "codecs" / "th1.js", SCRIPT)
    write(vendor / "codecs" / "test_decode_th1.json", DECODE)
    write(vendor / "codecs" / "test_encode_th1.json", ENCODE)
    return tmp_path / "profiles"


@pytest.fixture
def things_stack(tmp_path: Path) -> Path:
    """The same as The Things Stack would have it."""
    vendor = tmp_path / "devices" / "vendor" / "acme"
    write(vendor.parent / "index.yaml", "vendors:\n  - id: acme\n    name: Acme\n")
    write(vendor / "th1.js", SCRIPT)
    write(vendor / "th1-codec.yaml", CODEC_YAML)
    write(vendor / "th1.yaml", DEVICE_YAML)
    return tmp_path / "devices"


@pytest.fixture(autouse=True)
def alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Settings and journal of this test only."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("STADTFUNK_JOURNAL__PATH", str(tmp_path / "journal.db"))


def run(*arguments: object) -> Result:
    """The command's end."""
    return CliRunner().invoke(cli.app, ["codecs", *map(str, arguments)])


def report(*arguments: object) -> dict[str, Any]:
    """The JSON that it prints."""
    found: dict[str, Any] = json.loads(run(*arguments, "--json").stdout)
    return found


def audit(folder: Path) -> list[tuple[str, ...]]:
    """Who did what to what, and why."""
    with closing(sqlite3.connect(folder / "journal.db")) as connection:
        return connection.execute("SELECT actor, action, subject, reason FROM audit ORDER BY number").fetchall()


@pytest.mark.parametrize("layout", ["chirpstack", "things_stack"])
def test_both_layouts_are_read(layout: str, request: pytest.FixtureRequest) -> None:
    """All their tests pass, in both directions; exit 0."""
    folder = request.getfixturevalue(layout)
    result = run("test", folder)
    assert result.exit_code == 0, result.output
    assert "acme/th1" in result.stdout
    found = report("test", folder)
    passed = {"chirpstack": 2, "things_stack": 1}[layout]
    assert found == {
        "decode": {"passed": passed, "failed": []},
        "encode": {"passed": 1, "failed": []},
        "unreadable": [],
    }


def test_failures_are_told_and_the_rest_goes_on(chirpstack: Path) -> None:
    """A wrong value, a broken script, files that cannot be read: each named, exit 1, the sound tests still run."""
    codecs = chirpstack / "vendors" / "acme" / "codecs"
    wrong = DECODE.replace("21.50000001", "21.4")
    write(codecs / "test_decode_th1.json", wrong)
    write(codecs / "bad.js", "function decodeUplink( {")
    write(codecs / "slow.js", "function decodeUplink() { while (true); }")
    write(codecs / "test_decode_slow.json", '[{"input": {"bytes": []}, "expected": {"data": {}}}]')
    write(codecs / "test_decode_none.json", "[]")
    write(codecs / "test_encode_bad.json", "[{")
    write(codecs / "test_decode_bad.json", '[{"name": "no output", "input": {}}]')
    (codecs / "test_decode_link.json").symlink_to("/etc/hostname")
    (codecs / "link.js").symlink_to("/etc/hostname")
    write(codecs / "huge.js", "/" * 1_000_001)
    assert run("test", chirpstack).exit_code == 1
    found = report("test", chirpstack)
    assert found["decode"]["passed"] == 1
    assert found["encode"] == {"passed": 1, "failed": []}
    failed = {item["codec"]: (item["test"], item["reason"]) for item in found["decode"]["failed"]}
    assert failed["acme/th1"] == ("good", "data.temperature: expected 21.4, got 21.5")
    assert failed["acme/bad"][0] == "load"
    assert "no answer within" in failed["acme/slow"][1]
    unreadable = {Path(item["path"]).name: item["reason"] for item in found["unreadable"]}
    assert unreadable.keys() == {
        "huge.js",
        "link.js",
        "test_decode_bad.json",
        "test_decode_link.json",
        "test_decode_none.json",
        "test_encode_bad.json",
    }
    assert unreadable["link.js"] == "leads out of the repository"
    assert unreadable["test_decode_bad.json"] == "test 1: expected objects input and expected"


@pytest.mark.parametrize("kind", ["codec", "tests", "literal", "loading"])
def test_what_goes_on_and_on_or_is_no_file_holds_nobody(chirpstack: Path, kind: str) -> None:
    """A pipe, a program that cannot be interrupted: told, and the rest goes on; who hung is not asked again."""
    codecs, endless = chirpstack / "vendors" / "acme" / "codecs", "var a = []; a.length = 4294967295; a.sort();"
    if kind in {"codec", "tests"}:
        name = {"codec": "odd.js", "tests": "test_decode_odd.json"}[kind]
        write(codecs / "odd.js", SCRIPT)
        (codecs / name).unlink(missing_ok=True)
        os.mkfifo(codecs / name)
    elif kind == "literal":
        write(codecs / "odd.js", SCRIPT)
        write(codecs / "test_decode_odd.json", "Array.prototype.sort.call({length: 2 ** 53 - 1})")
    else:
        write(codecs / "odd.js", f"function decodeUplink() {{ {endless} }}")
        write(codecs / "test_decode_odd.json", f"[{'{input: {bytes: []}, expected: {data: {}}},' * 20}]")
    found = report("test", chirpstack)
    assert found["decode"]["passed"] == 2
    told = [item["reason"] for item in (*found["unreadable"], *found["decode"]["failed"])]
    if kind == "loading":
        assert len(told) == 20
        assert "had to be ended" in told[0]
        assert all("not asked again" in reason for reason in told[1:])
    else:
        assert told == ["no file" if kind != "literal" else "no answer within 1 s of CPU time, it had to be ended"]


def test_bytes_of_tests_are_bytes(chirpstack: Path) -> None:
    """A number beyond is a mistake of the test, not another byte."""
    codecs = chirpstack / "vendors" / "acme" / "codecs"
    write(codecs / "test_decode_th1.json", "[{input: {fPort: 2, bytes: [256, 215, 50]}, expected: {data: {}}}]")
    (failed,) = report("test", chirpstack)["decode"]["failed"]
    assert failed["reason"] == "input.bytes: expected a list of bytes, got [256, 215, 50]"


def test_a_device_that_cannot_be_read_is_told(chirpstack: Path) -> None:
    """Its codec is tested all the same."""
    write(chirpstack / "vendors" / "acme" / "devices" / "odd.toml", "a = " + "1" * 5000)
    write(chirpstack / "vendors" / "acme" / "devices" / "deep.toml", "a = " + "[" * 5000)
    found = report("test", chirpstack)
    assert found["decode"]["passed"] == 2
    assert [Path(item["path"]).name for item in found["unreadable"]] == ["deep.toml", "odd.toml"]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("uplinkDecoder: [", "while parsing"),
        ("uplinkDecoder: {fileName: ../../../secret.js}", "no file of the repository"),
        ("uplinkDecoder: {fileName: none.js}", "no file of the repository"),
        ("uplinkDecoder: {fileName: " + "x" * 5000 + "}", "no file of the repository"),
        ("uplinkDecoder: {fileName: self.js}", "no file of the repository"),
        ("uplinkDecoder: {fileName: th1.js, examples: 5}", "expected a list of tests"),
        ("uplinkDecoder: !!python/object/apply:os.getcwd []", "could not determine a constructor"),
        ("a: &a [1,1,1,1,1,1,1,1,1]\n" + "".join(
            f"{b}: &{b} [{','.join([f'*{a}'] * 9)}]\n" for a, b in zip("abcdefgh", "bcdefghi", strict=True)
        ), "more than 200000 values"),
        ("a: &a [*a]", "more than 200000 values"),
    ],
    ids=["syntax", "out of it", "missing", "too long", "link to itself", "no list", "tag", "bomb", "itself"],
)  # fmt: skip
def test_a_description_that_cannot_be_used_is_told(things_stack: Path, text: str, reason: str) -> None:
    """One line of reason each, and exit 1; the other codecs are tested all the same."""
    write(things_stack / "vendor" / "acme" / "other.yaml", text)
    write(things_stack.parent / "secret.js", SCRIPT)
    (things_stack / "vendor" / "acme" / "self.js").symlink_to("self.js")
    assert run("test", things_stack).exit_code == 1
    found = report("test", things_stack)
    assert found["decode"]["passed"] == 1
    (item,) = found["unreadable"]
    assert item["path"] == "vendor/acme/other.yaml"
    assert reason in item["reason"]


@pytest.mark.parametrize("command", ["test", "import"])
def test_what_is_no_repository_gets_one_line(tmp_path: Path, command: str) -> None:
    """A folder that is missing, a file, a folder of something else."""
    into = ("--into", tmp_path / "codecs") if command == "import" else ()
    for folder in (tmp_path / "none", write(tmp_path / "file", ""), tmp_path):
        result = run(command, folder, *into)
        assert result.exit_code == 1
        assert str(result.exception).startswith(f"{folder}: ")
        assert "\n" not in str(result.exception)
    assert not (tmp_path / "codecs").exists()


# -- import ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("layout", ["chirpstack", "things_stack"])
def test_imported_codecs_decode_under_chirpstacks_names(
    layout: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """The folder is complete: script, names, profiles; who took it is kept."""
    folder = request.getfixturevalue(layout)
    result = run("import", folder, "--into", tmp_path / "codecs", "--reason", "lot 3")
    assert result.exit_code == 0, result.output
    assert "1 codecs taken, 0 unchanged" in result.stdout
    known = Library(CodecSettings(folder=tmp_path / "codecs"))
    name = "TH 1" if layout == "chirpstack" else "TH1"
    assert known.profiles == {name: "js/acme/th1", f"Acme {name}": "js/acme/th1"}
    codec = known.codec("js/acme/th1")
    assert (codec.vendor, codec.model) == ("Acme", name)
    assert [reading.value for reading in codec.decode(2, bytes.fromhex("00d732"), 0)[0].readings] == [21.5, 50.0]
    assert audit(tmp_path) == [(operating_system_user(), "codecs import", str(folder), "lot 3")]


def test_a_second_import_changes_nothing(chirpstack: Path, tmp_path: Path) -> None:
    """No file is written, no row is left; what an operator changed stays, a new version of a script comes in."""
    into = tmp_path / "codecs"
    run("import", chirpstack, "--into", into)
    write(into / "acme" / "th1.toml", 'vendor = "Mine"\n')
    write(into / "profiles.toml", '[profiles]\n"TH 1" = "elsys/generic"\n"Acme TH 1" = "js/acme/th1"\n')
    before = {path: (path.stat().st_mtime_ns, path.read_text()) for path in into.rglob("*") if path.is_file()}
    found = report("import", chirpstack, "--into", into)
    assert (found["taken"], found["unchanged"], found["new_profiles"]) == ([], ["js/acme/th1"], 0)
    assert found["problems"] == [
        {"subject": "TH 1", "reason": "the profile's codec stays elsys/generic; js/acme/th1 reads it, too"}
    ]
    assert {path: (path.stat().st_mtime_ns, path.read_text()) for path in into.rglob("*") if path.is_file()} == before
    assert len(audit(tmp_path)) == 1
    write(chirpstack / "vendors" / "acme" / "codecs" / "th1.js", SCRIPT + "// two\n")
    assert report("import", chirpstack, "--into", into)["taken"] == ["js/acme/th1"]
    assert (into / "acme" / "th1.js").read_text().endswith("// two\n")


def test_nothing_is_written_outside_the_folder(chirpstack: Path, tmp_path: Path) -> None:
    """Not through links in the folder, not by a vendor's or a codec's name; what is broken is not taken."""
    vendors, into, outside = chirpstack / "vendors", tmp_path / "codecs", tmp_path / "outside"
    outside.mkdir()
    into.mkdir()
    (into / "acme").symlink_to(outside)
    write(vendors / "a b" / "codecs" / "x y.js", SCRIPT)
    write(vendors / "a-b" / "codecs" / "x-y.js", SCRIPT)
    write(vendors / "..." / "codecs" / "...js", SCRIPT)
    write(vendors / "bad" / "codecs" / "bad.js", "(")
    (vendors / "bad" / "codecs" / "link.js").symlink_to("/etc/hostname")
    (into / "bad").mkdir()
    target = write(outside / "kept.js", "kept")
    found = report("import", chirpstack, "--into", into)
    assert found["taken"] == ["js/a-b/x-y"]
    reasons = {item["subject"]: item["reason"] for item in found["problems"]}
    assert reasons["acme/th1"] == f"acme leads out of {into}"
    assert reasons["a-b/x-y"] == "another codec is js/a-b/x-y already"
    assert reasons["bad/link"] == "leads out of the repository"
    assert {"bad/bad", ".../.."} <= reasons.keys()
    assert list(outside.iterdir()) == [target]
    assert sorted(str(path.relative_to(into)) for path in into.rglob("*") if path.is_file()) == ["a-b/x-y.js"]


def test_a_link_in_the_folder_is_replaced_not_followed(chirpstack: Path, tmp_path: Path) -> None:
    """What it led to stays as it was."""
    kept = write(tmp_path / "kept.js", "kept")
    (tmp_path / "codecs" / "acme").mkdir(parents=True)
    (tmp_path / "codecs" / "acme" / "th1.js").symlink_to(kept)
    run("import", chirpstack, "--into", tmp_path / "codecs")
    assert kept.read_text() == "kept"
    assert (tmp_path / "codecs" / "acme" / "th1.js").read_text() == SCRIPT


def test_import_goes_beside_the_settings_file(chirpstack: Path, tmp_path: Path) -> None:
    """Where the service looks; without settings, and without --into, it asks where to."""
    result = run("import", chirpstack)
    assert result.exit_code == 1
    assert "codecs.folder" in str(result.exception)
    write(tmp_path / "stadtfunk.toml", "")
    assert run("import", chirpstack).exit_code == 0
    assert (tmp_path / "codecs" / "acme" / "th1.js").exists()


@pytest.mark.parametrize("what", ["a file", "bad profiles"])
def test_a_folder_that_cannot_be_used_gets_one_line(chirpstack: Path, tmp_path: Path, what: str) -> None:
    """Nothing is taken."""
    into = tmp_path / "codecs"
    write(into if what == "a file" else into / "profiles.toml", "=")
    result = run("import", chirpstack, "--into", into)
    assert result.exit_code == 1
    assert str(result.exception).startswith(str(into))
    assert audit(tmp_path) == []


# -- parts -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("expected", "found", "reason"),
    [
        (1, 1.0000001, ""),
        (1, 1.00001, "x: expected 1, got 1.00001"),
        (0, -0.0, ""),
        (1, True, "x: expected 1, got True"),
        ("1", 1, "x: expected '1', got 1"),
        ({"a": [1, {"b": 2}]}, {"a": [1, {"b": 3}]}, "x.a.1.b: expected 2, got 3"),
        ({"a": 1}, {"a": 1, "b": 2}, "x.b: expected None, got 2"),
        ({"a": None}, {}, ""),
        ([1], [1, 2], "x: expected [1], got [1, 2]"),
    ],
)
def test_values_are_compared_part_by_part(expected: object, found: object, reason: str) -> None:
    """Numbers with a tolerance, everything else exactly; the first difference is named."""
    assert difference(expected, found, "x") == reason


def test_yaml_is_read_as_javascript_reads_it() -> None:
    """Core schema: no flags named off, no dates, no numbers to the base of sixty."""
    text = "[off, yes, 12:30, 2020-01-01, 010, 0x1F, 0o17, -5, 1e3, .5, true, null, ~, '1', .inf]"
    expected = ["off", "yes", "12:30", "2020-01-01", 10, 31, 15, -5, 1000.0, 0.5, True, None, None, "1", float("inf")]
    assert yaml_core.load(text) == expected


def test_names_become_files_that_ids_can_hold() -> None:
    """Letters, digits and a few signs stay."""
    assert usable_name("SenseCAP S2100 (v2)") == "SenseCAP-S2100-v2"
    assert usable_name("../..") == ""
