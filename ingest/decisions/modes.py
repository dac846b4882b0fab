"""Whether what a rule concludes goes out: active, shadow, confirm or off, by rule and subject.

A mode is looked at when an event is about to be kept, never by the rule: rules compute and keep their state in every
mode, so that one that is switched on knows where it is.
"""

from collections.abc import Iterable, Sequence

from ingest.settings import Mode, Settings, SettingsError
from rules.city import City
from rules.device import health, network
from rules.event import TOPIC_ROOT, Event
from rules.request_health import RequestHealthData
from rules.rule import AnyRule
from rules.waste.route import route_event

SHADOWED = frozenset({"traffic"})
"""Domains whose rules are in shadow until somebody says otherwise."""
STATUS: dict[Mode, str] = {"active": "pending", "shadow": "shadow", "confirm": "waiting", "off": "off"}
"""What an event is kept as."""
GOING_OUT = frozenset[Mode]({"active", "confirm"})
BESIDE = (health.ID, network.ID, route_event.ID)
"""What concludes without being in the list of rules about assets: of devices, and of tours."""


def domain_of(rule: str) -> str:
    """The domain of a rule: the first word of its id, and of its topics."""
    return rule.partition(".")[0]


def domain_of_topic(topic: str) -> str:
    """The domain of an event's topic, empty for a topic that is none of ours."""
    levels = topic.removeprefix(f"{TOPIC_ROOT}/").split("/", 1)
    return levels[0] if topic.startswith(f"{TOPIC_ROOT}/") else ""


class Modes:
    """The modes in force; `stopped` are the domains that people stopped, which is stronger than any setting."""

    def __init__(self, settings: Settings, stopped: Iterable[str] = ()) -> None:
        self.stopped = set(stopped)
        self.take(settings)

    def take(self, settings: Settings) -> None:
        """Go by these settings from now on."""
        self._set = settings.rules.modes
        self._simulated = settings.simulation.apart
        self._late_ms = int(settings.rules.request_late_s * 1000 * settings.simulation.speed)

    def mode(self, rule: str, subject: str, *, acting: bool) -> Mode:
        """The mode in force; what acts stays in shadow where simulated devices are accepted."""
        domain = domain_of(rule)
        if domain in self.stopped:
            return "off"
        default: Mode = "shadow" if domain in SHADOWED else "active"
        mode = self._set.get(f"{rule}/{subject}") or self._set.get(rule, default)
        return "shadow" if acting and self._simulated and mode in GOING_OUT else mode

    def status(self, event: Event, now_ms: int) -> str:
        """What the event is kept as; a request decided behind the wall clock (`now_ms`) is a backlog's and not made.

        Whether requests are carried out is no decision: where requests may go out nobody has to confirm it.
        """
        beside = isinstance(event.data, RequestHealthData)
        mode = self.mode(event.data.rule, event.subject, acting=event.acting or beside)
        if beside and mode in GOING_OUT:
            return STATUS["active"]
        if event.acting and mode in GOING_OUT and now_ms - event.time_ms > self._late_ms:
            return "backlog"
        return STATUS[mode]

    def goes_out(self, rule: str, subject: str, *, acting: bool) -> bool:
        """Whether events of the rule about the subject may be outside."""
        return self.mode(rule, subject, acting=acting) in GOING_OUT

    def is_stopped(self, topic: str) -> bool:
        """Whether nothing may go out on this topic because its domain is stopped."""
        return bool(self.stopped) and domain_of_topic(topic) in self.stopped


def examine(settings: Settings, rules: Sequence[AnyRule], city: City) -> None:
    """Raise SettingsError for a mode of an unknown rule or subject."""
    known = {rule.id: rule.kind for rule in rules} | dict.fromkeys(BESIDE, "")
    for key in settings.rules.modes:
        rule, _, subject = key.partition("/")
        if rule not in known:
            raise SettingsError(f"rules.modes: unknown rule {rule!r}; known are {', '.join(sorted(known))}")
        asset = city.assets.get(subject)
        if subject and known[rule] and (asset is None or asset.kind != known[rule]):
            raise SettingsError(f"rules.modes: {key!r} names {subject!r}, expected the id of a {known[rule]}")
