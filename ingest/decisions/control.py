"""What people decide about rules: confirm a request, stop and start a domain; each in the audit table."""

from collections.abc import Sequence
from functools import partial
from typing import Any

from ingest.audit import Action
from ingest.clock import Clock
from ingest.decisions import store as rules_store
from ingest.decisions.custom import DOMAIN
from ingest.decisions.modes import BESIDE, Modes, domain_of
from ingest.decisions.store import RulesError
from ingest.journal import Journal
from rules.rule import AnyRule


class RulesControl:
    """Changes the journal first; `modes` are those that the service goes by. What was done comes back as JSON."""

    def __init__(self, journal: Journal, modes: Modes, rules: Sequence[AnyRule], clock: Clock) -> None:
        self.modes = modes
        self.domains = sorted({DOMAIN, *(domain_of(name) for name in (*(rule.id for rule in rules), *BESIDE))})
        self._journal = journal
        self._clock = clock

    async def confirm(self, name: str, actor: str, reason: str) -> dict[str, Any]:
        """Let a waiting event out; raises RulesError."""
        now_ms = self._clock()
        change = partial(rules_store.confirm, name=name, modes=self.modes, now_ms=now_ms)
        await self._journal.change(change, Action(actor, "rules confirm", name, reason), now_ms)
        self._journal.new_events.set()
        return {"id": name, "status": "confirmed"}

    async def stop(self, domain: str, actor: str, reason: str) -> dict[str, Any]:
        """Nothing of the domain goes out any more, from this call on, and what is outside is withdrawn.

        Raises RulesError for an unknown domain, JournalError when it cannot be noted: it is stopped all the same, until
        the service ends.
        """
        self._known(domain)
        self.modes.stopped.add(domain)
        now_ms = self._clock()
        change = partial(rules_store.withdraw, modes=self.modes, now_ms=now_ms)
        done = await self._journal.change(change, Action(actor, rules_store.STOP, domain, reason), now_ms)
        self._journal.new_events.set()
        return {"domain": domain, "status": "stopped", **done._asdict()}

    async def start(self, domain: str, actor: str, reason: str) -> dict[str, Any]:
        """The domain may speak again; its newest states go out at once. Raises RulesError, JournalError."""
        self._known(domain)
        if domain not in self.modes.stopped:
            raise RulesError(f"{domain} is not stopped")
        now_ms = self._clock()
        self.modes.stopped.discard(domain)
        try:
            change = partial(rules_store.release, modes=self.modes, now_ms=now_ms)
            done = await self._journal.change(change, Action(actor, rules_store.START, domain, reason), now_ms)
        except BaseException:
            self.modes.stopped.add(domain)
            raise
        self._journal.new_events.set()
        return {"domain": domain, "status": "started", "states": done}

    def _known(self, domain: str) -> None:
        if domain not in self.domains:
            raise RulesError(f"unknown domain {domain!r}; known are {', '.join(self.domains)}")
