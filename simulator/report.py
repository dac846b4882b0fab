"""What a simulation has published, by what must become of it."""

from collections.abc import Callable

from simulator.faults import DEAD_LETTERS, NO_UPLINK, Message, Outcome


def nothing() -> int:
    """Where nobody counts."""
    return 0


class Report:
    """What was published, by what must become of it; devices count what was `unsent`, downlinks what they `refused`."""

    def __init__(self, seed: int, unsent: Callable[[], int] = nothing, refused: Callable[[], int] = nothing) -> None:
        self.seed = seed
        self._unsent = unsent
        self._refused = refused
        self.counts = dict.fromkeys(Outcome, 0)
        self.lost = 0
        self.silent = 0
        self.unpublished = 0
        self.repeated = self.history = self.unanswered = 0

    def count(self, message: Message) -> None:
        """One more message is out."""
        self.counts[message.outcome] += 1

    @property
    def published(self) -> int:
        """Uplink events published, whatever becomes of them."""
        return sum(number for outcome, number in self.counts.items() if outcome not in NO_UPLINK)

    def as_dict(self) -> dict[str, object]:
        """As JSON: published = unique + duplicates + the sum of dead_letters; `unheard` never reached a gateway.

        `unsent` are those of the unheard that no airtime was left for, `refused` messages to devices that are no
        commands.

        `repeated` are transmissions of confirmed uplinks beyond the first, `unanswered` those given up at last,
        `history` frames of earlier readings. Scenarios: `silent` devices did not send, `unpublished` was dropped by a
        network server without a broker.
        """
        return {
            "published": self.published,
            "unique": self.counts[Outcome.UNIQUE],
            "duplicates": self.counts[Outcome.DUPLICATE],
            "dead_letters": {reason.value: self.counts[reason] for reason in DEAD_LETTERS},
            "joins": self.counts[Outcome.JOIN],
            "status": self.counts[Outcome.STATUS],
            "answers": self.counts[Outcome.ANSWER],
            "unheard": self.lost,
            "unsent": self._unsent(),
            "refused": self._refused(),
            "silent": self.silent,
            "unpublished": self.unpublished,
            "repeated": self.repeated,
            "history": self.history,
            "unanswered": self.unanswered,
            "seed": self.seed,
        }
