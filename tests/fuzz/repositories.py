"""Fuzzed: the tests that come with vendors' codecs, as ChirpStack's JavaScript literals and The Things Stack's YAML."""

import tempfile
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from random import Random

from decoders.javascript import ScriptCodec
from ingest.codecs import trial
from ingest.codecs.repository import Repository, Script
from tests.fuzz import javascript
from tests.fuzz.mutation import TOKENS, mutate_bytes
from tests.fuzz.target import Target

SCRIPT = javascript.SCRIPTS["chirpstack"]
LITERALS = (
    """[
  // vendors write hexadecimal numbers, comments and trailing commas
  {name: "first", input: {bytes: [0x00, 0xd7, 50,], fPort: 2}, expected: {data: {temperature: 21.5, batV: .04}}},
  {"input": {"bytes": "00d732", "recvTime": "2026-03-14T09:26:53Z"}, "expected": {"errors": ["x"]}}, /* and */
];""",
    '[{input: {data: {a: 1}, fPort: 1, variables: {x: "1"}}, expected: {bytes: [1, -1], fPort: 300}}]',
    "[]",
    "[{input: {bytes: [1e3, -0, 1.5], fPort: 2**70}, expected: {data: {temperature: NaN, humidity: [1, {a: null}]}}}]",
)
YAML = """uplinkDecoder:
  fileName: c.js
  examples:
    - description: first
      input: {fPort: 2, bytes: [0x00, 215, 50], recvTime: 2026-03-14T09:26:53Z}
      output: {data: {temperature: 21.5, humidity: 50}, warnings: [], errors: ~}
    - {input: {fPort: 0o7, bytes: ['00']}, output: {errors: [no]}}
downlinkEncoder:
  fileName: c.js
  examples: [{description: &a 1, input: {data: {b: 1}}, output: {bytes: [1], fPort: *a}}]
"""
DEVICE = """name: Acme
firmwareVersions: [{version: '1', profiles: {EU863-870: {id: a, codec: c}}}]
"""
WORDS = (
    *(*TOKENS, "&a [*a]", "!!python/object:os.system x", "1e999", "0x", "? a", "- - -", "2026-02-30", "{a: b, a: c}"),
    *(
        "new Date(0)",
        "[...Array(1e9)]",
        "'a'.repeat(1e6)",
        "function () {}",
        "undefined",
        "[1,,2]",
        "(() => {for (;;);})()",
    ),
    *(
        "{get a() {return 1}}",
        "{toJSON() {throw 1}}",
        "10n",
        "9".rjust(400, "9"),
        "input",
        "<<: *a",
        "%TAG",
        "\t",
        "[]]",
    ),
)


def run(files: Mapping[str, str], data: bytes) -> None:
    """What cannot be read is told of a file in one line, and every test that was read passes or says why not."""
    with tempfile.TemporaryDirectory(prefix="stadtfunk-fuzz-") as folder:
        root = Path(folder).resolve()
        for path, text in files.items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_bytes(text.encode() or data)
        _check_all(root)


def _check_all(root: Path) -> None:
    told: list[tuple[Path, str]] = []
    repository = Repository(root, lambda path, reason: told.append((path, reason)))
    for vendor in repository.vendors():
        for script in vendor.scripts.values():
            _check(script, repository.text(script.path))
        for model in vendor.models:
            assert (model.vendor + model.name + model.codec).encode() is not None
    for path, reason in told:
        assert path.is_relative_to(root)
        assert reason.encode()


def _check(script: Script, text: str) -> None:
    found = trial.run(script, ScriptCodec(f"js/{script.key}", text))
    assert found.tests == len(script.cases)
    for failure in found.failed:
        assert failure.reason
        assert failure.reason.encode()


def mutate(random: Random, data: bytes, others: Sequence[bytes]) -> bytes:
    """A value, or bytes."""
    if random.randint(0, 1):
        return mutate_bytes(random, data, others)
    spots = [at for at, letter in enumerate(data) if letter in b" ,:[{"] or [0]
    at = random.choice(spots) + 1
    word = random.choice(WORDS).encode("utf-8", "surrogatepass")
    return data[:at] + word + data[at + random.randint(0, 8) :]


def _target(name: str, files: Mapping[str, str], seeds: Sequence[str]) -> Target:
    encoded = tuple(seed.encode() for seed in seeds)
    return Target(
        name=name, run=partial(run, files), refuses=(), seeds=encoded, mutate=mutate, weight=0.5, longest=4096
    )


CHIRPSTACK = {"vendors/acme/codecs/c.js": SCRIPT, "vendors/acme/codecs/test_decode_c.json": ""}
ENCODING = {"vendors/acme/codecs/c.js": SCRIPT, "vendors/acme/codecs/test_encode_c.json": ""}
EXAMPLES = {"vendor/acme/c.js": SCRIPT, "vendor/acme/device.yaml": DEVICE, "vendor/acme/c.yaml": ""}
DEVICES = {"vendor/acme/c.js": SCRIPT, "vendor/acme/c.yaml": YAML, "vendor/acme/device.yaml": ""}
TARGETS = (
    _target("repository/decode", CHIRPSTACK, LITERALS),
    _target("repository/encode", ENCODING, LITERALS),
    _target("repository/examples", EXAMPLES, (YAML, "")),
    _target("repository/device", DEVICES, (DEVICE, "")),
)
