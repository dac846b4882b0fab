"""What is fuzzed: a function of bytes, what it may refuse them with, and where its inputs come from."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random

from tests.fuzz.mutation import mutate_bytes

Mutate = Callable[[Random, bytes, Sequence[bytes]], bytes]
"""(random, an input, other inputs to take parts from) → an input near it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One entry of the table.

    `run` raises one of `refuses` for an input that it does not take and AssertionError for a wrong value; whatever else
    it raises is a finding, too. `weight` is its share of the inputs, `longest` the bytes of one.
    """

    name: str
    run: Callable[[bytes], None]
    refuses: tuple[type[Exception], ...]
    seeds: tuple[bytes, ...]
    mutate: Mutate = mutate_bytes
    weight: float = 1.0
    longest: int = 16_384

    def takes(self, data: bytes) -> bool:
        """Whether the input was taken; False when it was refused in one line that can be written down."""
        try:
            self.run(data)
        except self.refuses as error:
            refusal = error
        else:
            return True
        text = str(refusal)
        assert text.encode(), f"{type(refusal).__name__} without a message"
        assert "\n" not in text, f"{type(refusal).__name__} of several lines: {text!r}"
        return False

    def draw(self, random: Random, data: bytes | None = None) -> bytes:
        """An input near `data` (without it: near one of the seeds), as this kind of input is damaged."""
        return self.mutate(random, random.choice(self.seeds) if data is None else data, self.seeds)
