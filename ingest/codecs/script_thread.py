"""The thread in which vendors' JavaScript runs, so that nothing of it can hold the service.

The engine looks at the clock between steps of a program, not within one: a search in a huge text, or arithmetic on
huge numbers, is one step. A call that goes on is left behind in its thread, and the next one gets a new thread.
What counts is CPU time: a machine that stands still, or has no time for us, makes no call one that goes on.
"""

import threading
import time
from collections.abc import Callable
from queue import Empty, SimpleQueue

from decoders.error import ScriptHung

LIMIT_S = 1.0
"""CPU seconds of the process after which a call is left behind; the engine itself ends one after a fraction of it."""
POLL_S = 0.05

Work = Callable[[], str]
Outcome = tuple[str, BaseException | None]


class ScriptThread:
    """Runs calls, one at a time; a Runner for ScriptCodec. Any thread may ask."""

    def __init__(self, limit_s: float = LIMIT_S) -> None:
        self._limit_s = limit_s
        self._lock = threading.Lock()
        self._works: SimpleQueue[Work | None] = SimpleQueue()
        self._outcomes: SimpleQueue[Outcome] = SimpleQueue()
        self._started = False

    def __call__(self, work: Work) -> str:
        """What the work returns or raises; raises ScriptHung for what goes on and on."""
        with self._lock:
            if not self._started:
                self._start()
            self._works.put(work)
            text, error = self._outcome()
        if error is not None:
            raise error
        return text

    def close(self) -> None:
        """Let the thread end."""
        with self._lock:
            if self._started:
                self._started = False
                self._works.put(None)

    def _start(self) -> None:
        self._works, self._outcomes = SimpleQueue(), SimpleQueue()
        threading.Thread(target=_serve, args=(self._works, self._outcomes), name="javascript", daemon=True).start()
        self._started = True

    def _outcome(self) -> Outcome:
        begin = time.process_time()
        while time.process_time() - begin < self._limit_s:
            try:
                return self._outcomes.get(timeout=POLL_S)
            except Empty:
                continue
        self._started = False
        self._works.put(None)
        return "", ScriptHung(f"no answer within {self._limit_s:g} s of CPU time, and it cannot be interrupted")


def _serve(works: "SimpleQueue[Work | None]", outcomes: SimpleQueue[Outcome]) -> None:
    while (work := works.get()) is not None:
        try:
            outcome: Outcome = work(), None
        except BaseException as error:  # noqa: BLE001 - raised again where it was asked for
            outcome = "", error
        del work
        outcomes.put(outcome)
        del outcome
