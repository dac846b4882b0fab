"""The process in which vendors' JavaScript runs, so that nothing of it can hold, fill or end the service.

The engine looks at the clock between steps of a program, not within one: a search in a huge text, or arithmetic on huge
numbers, is one step that may take hours. A process can be ended at any step; the next call gets a new one, and the
calls of other files lose nothing but the time to load them again. It is told what to decode, and nothing else of us.
"""

import hashlib
import os
import signal
import socket
import subprocess
import sys
import threading
import weakref

from decoders.error import ScriptError, ScriptHung, ScriptTimeout
from decoders.script_engine import Call, loads
from ingest.codecs.script_worker import ERROR, LATE, SEPARATOR, UNKNOWN, receive, send

LIMIT_S = 1.0
"""CPU seconds after which a call is ended with its process; the engine itself ends one after a fraction of it."""
PATIENCE_S = 20.0
"""Seconds after which an answer is not waited for any longer, whatever keeps the process from working."""
MODULE = "ingest.codecs.script_worker"
PASSED_ON = ("PATH", "LD_LIBRARY_PATH", "TMPDIR")
"""What the process sees of our environment: no passwords."""


class Worker:
    """The process itself: its end of the line, and how it ended."""

    def __init__(self, limit_s: float, patience_s: float) -> None:
        ours, theirs = socket.socketpair()
        environment = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
        with ours, theirs:
            ours.settimeout(patience_s)
            self._process: subprocess.Popen[bytes] = subprocess.Popen(  # noqa: S603 - this program's own module
                [sys.executable, "-P", "-m", MODULE, f"{limit_s:g}"],
                stdin=theirs.fileno(),
                stdout=theirs.fileno(),
                env={**environment, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            )
            self._stream = ours.makefile("rwb")

    def exchange(self, request: str) -> str:
        """The answer to a request; raises EOFError or OSError, after which it is to be ended."""
        send(self._stream, request)
        return receive(self._stream)

    def end(self) -> int:
        """End it, if it has not ended; the status it ended with, a signal as a negative number."""
        self._process.kill()
        status = self._process.wait()
        try:
            self._stream.close()
        except OSError:  # the last request, which nobody reads any more
            return status
        return status


class ScriptProcess:
    """Runs files, one call at a time, in a process that starts with the first call. Any thread may ask."""

    def __init__(self, limit_s: float = LIMIT_S, patience_s: float = PATIENCE_S) -> None:
        self._limit_s = limit_s
        self._patience_s = patience_s
        self._lock = threading.Lock()
        self._worker: Worker | None = None
        self._at_exit: weakref.finalize[[], ScriptProcess] | None = None

    def box(self, source: str) -> "RemoteBox":
        """What runs a file there."""
        return RemoteBox(self, source)

    def literal(self, text: str) -> object:
        """The value of a JavaScript literal; raises ScriptError."""
        return loads(self.ask("literal", text))

    def ask(self, *request: str) -> str:
        """The answer to a request of script_worker, UNKNOWN for a file it does not have; raises ScriptError."""
        with self._lock:
            answer = self._exchange(SEPARATOR.join(request))
        if answer.startswith(ERROR):
            raise ScriptError(answer[1:])
        if answer.startswith(LATE):
            raise ScriptTimeout(answer[1:])
        return answer if answer == UNKNOWN else answer[1:]

    def close(self) -> None:
        """End the process; the next call starts another."""
        with self._lock:
            self._end()

    def _exchange(self, request: str, *, again: bool = True) -> str:
        worker = self._worker or self._start()
        try:
            return worker.exchange(request)
        except TimeoutError as error:
            self._end()
            raise ScriptHung(f"no answer within {self._patience_s:g} s, it had to be ended") from error
        except (EOFError, OSError) as error:
            status = self._end()
            if status == -signal.SIGPROF:
                raise ScriptHung(f"no answer within {self._limit_s:g} s of CPU time, it had to be ended") from error
            if not again:
                raise ScriptHung(f"its process ended with status {status}") from error
        return self._exchange(request, again=False)  # perhaps it ended before it was asked

    def _start(self) -> Worker:
        try:
            worker = Worker(self._limit_s, self._patience_s)
        except OSError as error:
            raise ScriptHung(f"no process can be started for it: {error.strerror}") from error
        self._worker, self._at_exit = worker, weakref.finalize(self, worker.end)
        return worker

    def _end(self) -> int:
        worker, self._worker = self._worker, None
        if self._at_exit is not None:
            self._at_exit.detach()
        return 0 if worker is None else worker.end()


class RemoteBox:
    """One file, run in the process; sent there with its first call, and again when the process is a new one."""

    def __init__(self, process: ScriptProcess, source: str) -> None:
        self._process = process
        self._source = source
        self._name = hashlib.blake2b(source.encode("utf-8", "replace"), digest_size=16).hexdigest()

    def check(self) -> None:
        """See that the file is JavaScript."""
        self._process.ask("check", self._source)

    def learn(self) -> None:
        """Load the file once, and see that it has one of the functions."""
        self._process.ask("learn", self._source)

    def ask(self, call: Call) -> str:
        """The answer to a call."""
        request = ("run", self._name, call.kind, str(call.f_port), str(call.time_ms), call.variables, call.given)
        answer = self._process.ask(*request)
        if answer == UNKNOWN:
            self._process.ask("keep", self._name, self._source)
            answer = self._process.ask(*request)
        return answer
