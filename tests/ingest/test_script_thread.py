"""The thread of vendors' JavaScript: nothing that runs in it holds who asks."""

import threading
import time

import pytest

from decoders.error import ScriptError, ScriptHung, ScriptRefused
from decoders.javascript import ScriptCodec
from ingest.codecs.script_thread import ScriptThread


def test_work_is_done_in_one_other_thread() -> None:
    """The same for all calls; what it returns and raises comes back."""
    run = ScriptThread()
    names = {run(lambda: threading.current_thread().name) for _ in range(3)}
    assert names == {"javascript"}

    def fail() -> str:
        raise ScriptError("no")

    with pytest.raises(ScriptError, match="no"):
        run(fail)
    assert run(lambda: "after") == "after"
    run.close()
    assert run(lambda: "again") == "again"
    run.close()


def test_what_goes_on_is_left_behind() -> None:
    """Its result is nobody's: the next call has its own thread and its own answer."""
    run, over = ScriptThread(limit_s=0.1), threading.Event()

    def stay() -> str:
        while not over.is_set():
            sum(range(1000))
        return "late"

    with pytest.raises(ScriptHung, match=r"within 0\.1 s of CPU time"):
        run(stay)
    over.set()
    assert run(lambda: "next") == "next"
    assert run(lambda: "and next") == "and next"
    run.close()


def test_a_machine_without_time_for_us_is_waited_for() -> None:
    """Time that passes without work is nobody's fault."""
    run = ScriptThread(limit_s=0.1)

    def wait() -> str:
        time.sleep(0.5)
        return "slow"

    assert run(wait) == "slow"
    run.close()


def test_a_step_that_the_engine_cannot_interrupt_does_not_hold_us() -> None:
    """A search of some seconds in a long text: given up in time, and the codec is off; another codec works."""
    run = ScriptThread(limit_s=0.3)
    hung = ScriptCodec(
        "js/acme/hung",
        "function Decoder() { return {x: 'a'.repeat(90000).indexOf('a'.repeat(45000) + 'b')}; }",
        run=run,
    )
    hung.learn()
    begin = time.process_time()
    with pytest.raises(ScriptHung):
        hung.decode_object(1, b"")
    waited_s = time.process_time() - begin
    with pytest.raises(ScriptRefused):
        hung.decode_object(1, b"")
    other = ScriptCodec("js/acme/other", "function Decoder() { return {a: 1}; }", run=ScriptThread())
    assert other.decode_object(1, b"") == {"a": 1}
    assert waited_s < 1
