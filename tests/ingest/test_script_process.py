"""The process of vendors' JavaScript: nothing that runs in it holds who asks, and nothing of it stays."""

import gc
import os
import signal
import sys
import threading
import time
from io import BytesIO
from pathlib import Path

import pytest

from decoders.error import ScriptError, ScriptHung, ScriptTimeout
from decoders.javascript import ScriptCodec
from ingest.codecs import script_worker
from ingest.codecs.script_process import ScriptProcess, Worker
from ingest.codecs.script_worker import ERROR, OK, UNKNOWN, Files, receive, send, serve

TIME_MS = 1_800_000_000_000
HANGING = "function Decoder(b) { if (b[0]) return {n: b[0]}; var a = []; a.length = 4294967295; a.sort(); return {}; }"
"""Sorting a list of no items, but of many places, is one step for the engine."""


def codec(process: ScriptProcess, script: str) -> ScriptCodec:
    """A codec whose file runs in the process."""
    return ScriptCodec("js/acme/x", script, box=process.box)


def pid(process: ScriptProcess) -> int:
    """Of the process that runs now."""
    worker = process._worker
    assert worker is not None
    return worker._process.pid


def runs(number: int) -> bool:
    """Whether there is such a process, and it has not ended."""
    try:
        return ") Z " not in Path(f"/proc/{number}/stat").read_text()
    except FileNotFoundError:
        return False


def test_files_are_run_in_one_other_process() -> None:
    """Each keeps to itself, and says what it would say here: results, errors, console, time."""
    process = ScriptProcess()
    script = "var n = %s; function decodeUplink(i) { console.log(i.bytes.length); return {data: {n, t: i.recvTime}}; }"
    made = [codec(process, script % number) for number in (1, 2)]
    for _ in range(2):
        for number, one in enumerate(made, 1):
            expected = ScriptCodec("js/acme/x", script % number).decode_object(1, b"ab", time_ms=TIME_MS)
            assert one.decode_object(1, b"ab", time_ms=TIME_MS) == expected
            assert one.console == ("2",)
    assert pid(process) != os.getpid()
    with pytest.raises(ScriptError, match="no 'é'"):
        codec(process, "function Decoder() { throw \"no 'é'\"; }").decode_object(1, b"")
    with pytest.raises(ScriptTimeout, match="within 100 ms"):
        codec(process, "function Decoder() { while (true); }").decode_object(1, b"")
    with pytest.raises(ScriptError, match="SyntaxError"):
        process.box("(").check()
    with pytest.raises(ScriptError, match="none of"):
        codec(process, "var x;").learn()
    assert process.literal("[0x10, /* one */ {a: 'ü'},]") == [16, {"a": "ü"}]
    with pytest.raises(ScriptError, match="literal"):
        process.literal("[")
    process.close()


def test_a_step_that_cannot_be_interrupted_ends_with_its_process() -> None:
    """Nothing goes on behind our back, and the file of another codec works at once; so does this one's next payload."""
    process = ScriptProcess(limit_s=0.4)
    hanging, other = codec(process, HANGING), codec(process, "function Decoder() { return {a: 1}; }")
    assert other.decode_object(1, b"") == {"a": 1}
    before = pid(process)
    with pytest.raises(ScriptHung, match=r"js/acme/x: no answer within 0\.4 s of CPU time, it had to be ended"):
        hanging.decode_object(1, b"\0")
    assert not runs(before)
    assert other.decode_object(1, b"") == {"a": 1}
    assert hanging.decode_object(1, b"\7") == {"n": 7}
    assert pid(process) != before
    process.close()


def test_a_literal_that_goes_on_is_ended_too() -> None:
    """A file of tests is a program like any other."""
    process = ScriptProcess(limit_s=0.4)
    with pytest.raises(ScriptHung):
        process.literal("Array.prototype.sort.call({length: 2 ** 53 - 1})")
    assert process.literal("[1]") == [1]
    process.close()


def test_a_process_that_ended_by_itself_is_missed_by_nobody() -> None:
    """The next call starts another."""
    process = ScriptProcess()
    made = codec(process, "function Decoder() { return {a: 1}; }")
    made.decode_object(1, b"")
    os.kill(pid(process), signal.SIGKILL)
    assert made.decode_object(1, b"") == {"a": 1}
    process.close()


def test_a_process_that_ends_in_a_call_is_an_error_of_the_script(monkeypatch: pytest.MonkeyPatch) -> None:
    """If it does so twice; after that others work."""
    process, ended = ScriptProcess(), list[int]()
    exchange = Worker.exchange

    def end(worker: Worker, request: str) -> str:
        if "bad" in request:
            ended.append(worker._process.pid)
            os.kill(worker._process.pid, signal.SIGKILL)
        return exchange(worker, request)

    monkeypatch.setattr(Worker, "exchange", end)
    with pytest.raises(ScriptHung, match="its process ended with status -9"):
        process.literal("'bad'")
    assert len(ended) == 2
    assert process.literal("'good'") == "good"
    process.close()


def test_a_process_that_stands_still_is_not_waited_for_without_end() -> None:
    """It is ended and the call an error."""
    process = ScriptProcess(patience_s=1)
    made = codec(process, "function Decoder() { return {a: 1}; }")
    made.decode_object(1, b"")
    os.kill(pid(process), signal.SIGSTOP)
    with pytest.raises(ScriptHung, match="no answer within 1 s"):
        made.decode_object(1, b"")
    assert made.decode_object(1, b"") == {"a": 1}
    process.close()


def test_a_stop_of_the_service_leaves_the_process_to_it() -> None:
    """A signal to the whole group must not take away what the last messages are decoded with."""
    process = ScriptProcess()
    made = codec(process, "function Decoder() { return {a: 1}; }")
    made.decode_object(1, b"")
    before = pid(process)
    for number in (signal.SIGINT, signal.SIGTERM):
        os.kill(before, number)
    assert made.decode_object(1, b"") == {"a": 1}
    assert pid(process) == before
    process.close()
    assert not runs(before)


def test_a_process_ends_with_who_started_it() -> None:
    """Also when nobody closed it, and when the requests end."""
    process = ScriptProcess()
    process.literal("1")
    number = pid(process)
    del process
    gc.collect()
    assert not runs(number)
    answers = BytesIO()
    serve(BytesIO(b"\0\0\0\7lit"), answers, 1.0)
    assert answers.getvalue() == b""


def test_our_secrets_are_not_passed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the environment it sees next to nothing."""
    monkeypatch.setenv("STADTFUNK_MQTT__PASSWORD", "hunter2")
    process = ScriptProcess()
    process.literal("1")
    assert b"hunter2" not in Path(f"/proc/{pid(process)}/environ").read_bytes()
    process.close()


def test_where_no_process_can_be_started_the_script_fails(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """One message lost to decoding, not the service."""
    monkeypatch.setattr(sys, "executable", str(tmp_path / "nothing"))
    with pytest.raises(ScriptHung, match="no process can be started for it: No such file"):
        codec(ScriptProcess(), "function Decoder() { return {a: 1}; }").decode_object(1, b"")


def test_contexts_are_kept_in_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    """The file that was asked for longest ago goes, and has to be sent again."""
    monkeypatch.setattr(script_worker, "FILES", 2)
    files = Files()
    ask = "run\0{}\0decode\0001\0000\0\0[]"
    for name in "abc":
        assert files.answer(f"keep\0{name}\0function Decoder() {{ return {{{name}: 1}}; }}") == OK
        assert files.answer(ask.format("a")) == '==d{"a":1}'
    assert files.answer(ask.format("b")) == UNKNOWN
    assert files.answer(ask.format("c")) == '==d{"c":1}'
    assert files.answer("learn\0(").startswith(ERROR)


def test_frames_come_out_as_they_went_in() -> None:
    """Whatever the text, and however long."""
    stream = BytesIO()
    texts = ["", "\0ü\n", "x" * 100_000]
    for text in texts:
        send(stream, text)
    stream.seek(0)
    assert [receive(stream) for _ in texts] == texts
    with pytest.raises(EOFError):
        receive(stream)


def test_many_threads_may_ask() -> None:
    """Each gets its own answer."""
    process = ScriptProcess()
    made = codec(process, "function Decoder(b) { return {n: b[0]}; }")
    found: dict[int, object] = {}

    def ask(number: int) -> None:
        time.sleep(0)
        found[number] = made.decode_object(1, bytes([number]))["n"]

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == {number: number for number in range(20)}
    process.close()
