"""`stadtfunk codecs suggest`: a table for an object, or one line of what is wrong with the file."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from decoders.mapping import parse
from ingest import cli


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "is no JSON"),
        ("[", "is no JSON"),
        ('{"temperature": NaN}', "NaN is no number of JSON"),
        ('{"temperature": -Infinity}', "-Infinity is no number of JSON"),
        ('{"a":' * 100_000, "is no JSON: maximum recursion depth"),
        ("[]", "holds no object"),
        ("{}", "holds no object"),
        ('[{"temperature": 1}]', "holds no object"),
        ('{"a": "' + "x" * 1_000_000 + '"}', "more than 1000000 bytes"),
    ],
    ids=["nothing", "cut off", "NaN", "infinite", "deep", "list", "empty", "list of one", "huge"],
)
def test_what_is_no_object_gets_one_line(tmp_path: Path, text: str, reason: str) -> None:
    """It names the file; exit 1."""
    file = tmp_path / "event.json"
    file.write_text(text)
    result = CliRunner().invoke(cli.app, ["codecs", "suggest", str(file)])
    assert result.exit_code == 1
    assert str(result.exception).startswith(str(file))
    assert reason in str(result.exception)
    assert "\n" not in str(result.exception)


def test_json_is_json_whatever_the_numbers(tmp_path: Path) -> None:
    """A number too large for any float is shown as none."""
    file = tmp_path / "event.json"
    file.write_text('{"deviceInfo": {}, "object": {"temperature": 1e999, "co2": 500, "odd": [{"v": true}]}}')
    result = CliRunner().invoke(cli.app, ["codecs", "suggest", str(file), "--json"])
    found = json.loads(result.stdout, parse_constant=pytest.fail)
    assert [(item["path"], item["value"]) for item in found] == [
        ("temperature", None),
        ("co2", 500),
        ("odd.0.v", True),
    ]
    text = CliRunner().invoke(cli.app, ["codecs", "suggest", str(file)]).stdout
    assert len(parse(text, "t").entries) == 2
