"""What runs in the process of its own: vendors' JavaScript, one request after another, by standard input and output.

A request is a frame of texts joined by NUL: `run`, the name of a file, kind, f_port, time in ms, variables and what is
given, as of a Call; or `check`, `learn` or `literal` and a text; or `keep`, a name and the file's text. The answer is a
frame that begins with one of OK, UNKNOWN, ERROR and LATE. A frame is its length in four bytes and UTF-8.

A request that takes more CPU time than allowed ends the process: the kernel's timer knows no step that is too long.
"""

import resource
import signal
import struct
import sys
from collections import OrderedDict
from io import BufferedRWPair
from typing import BinaryIO

from decoders.error import ScriptError, ScriptTimeout
from decoders.script_engine import Call, Sandbox, check_syntax, learn, literal_json

OK, UNKNOWN, ERROR, LATE = "=", "?", "!", "~"
SEPARATOR = "\0"
LENGTH = struct.Struct(">I")
FILES = 256
"""Contexts that are kept, half a megabyte each; the one that was not asked for longest is made anew when it is."""
MEMORY_BYTES = 1_000_000_000


def send(stream: BinaryIO | BufferedRWPair, text: str) -> None:
    """Write a frame; raises OSError when nobody reads it."""
    body = text.encode("utf-8", "replace")
    stream.write(LENGTH.pack(len(body)) + body)
    stream.flush()


def receive(stream: BinaryIO | BufferedRWPair) -> str:
    """The next frame; raises EOFError when there is none, or not all of it."""
    head = stream.read(LENGTH.size)
    if len(head) == LENGTH.size:
        (length,) = LENGTH.unpack(head)
        body = stream.read(length)
        if len(body) == length:
            return body.decode("utf-8")
    raise EOFError("no more frames")


class Files:
    """The files that were sent, each with its context."""

    def __init__(self) -> None:
        self._boxes: OrderedDict[str, Sandbox] = OrderedDict()

    def answer(self, request: str) -> str:
        """The answer to a request."""
        kind, _, rest = request.partition(SEPARATOR)
        try:
            if kind == "run":
                return self._run(rest)
            if kind == "keep":
                self._keep(*rest.split(SEPARATOR, 1))
            elif kind == "check":
                check_syntax(rest)
            elif kind == "learn":
                learn(rest)
            else:
                return OK + literal_json(rest)
        except ScriptTimeout as error:
            return f"{LATE}{error}"
        except ScriptError as error:
            return f"{ERROR}{error}"
        return OK

    def _run(self, rest: str) -> str:
        name, kind, f_port, time_ms, variables, given = rest.split(SEPARATOR)
        box = self._boxes.get(name)
        if box is None:
            return UNKNOWN
        self._boxes.move_to_end(name)
        return OK + box.ask(Call(kind, given, int(f_port), int(time_ms), variables))

    def _keep(self, name: str, source: str) -> None:
        self._boxes[name] = Sandbox(source)
        while len(self._boxes) > FILES:
            self._boxes.popitem(last=False)


def serve(requests: BinaryIO, answers: BinaryIO, limit_s: float) -> None:
    """Answer requests until there are no more."""
    files = Files()
    while True:
        try:
            request = receive(requests)
        except EOFError:
            return
        signal.setitimer(signal.ITIMER_PROF, limit_s)
        answer = files.answer(request)
        signal.setitimer(signal.ITIMER_PROF, 0)
        send(answers, answer)


def main() -> None:
    """Serve whoever started this, until that one is gone; a stop of the service is his to tell."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    signal.signal(signal.SIGPROF, signal.SIG_DFL)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    serve(sys.stdin.buffer, sys.stdout.buffer, float(sys.argv[1]))


if __name__ == "__main__":
    main()
