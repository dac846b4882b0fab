"""`provision grafana`: compare what a Grafana has with what the city wants, and take the steps between.

A privacy class has an organisation of its own, for whoever may look at a data source may send it any query. The one of
operations sees open and internal readings, that of the public open ones, that of personal readings these alone.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack
from typing import Any, Final, NamedTuple, Self, TypeAlias

from decoders.quantity import Privacy
from ingest.grafana.alerts.build import Receiver, alerts, rule
from ingest.grafana.dashboards.build import dashboards
from ingest.grafana.dashboards.spec import Language, Organisation
from ingest.grafana.provision.alerting import contact, elsewhere, policy, rule_group, timing
from ingest.grafana.provision.http import Administrator, Grafana, ProvisionError
from ingest.grafana.provision.plan import Finding, Plan, Step, plan_of
from ingest.grafana.provision.things import Folder, Source, Where, dashboard, folder, quoted, source, team
from ingest.settings import GrafanaSettings, InfluxSettings

Names: TypeAlias = Mapping[Privacy, str]
NAMES: Final[Names] = {
    Privacy.OPEN: "Stadtfunk open",
    Privacy.INTERNAL: "Stadtfunk internal",
    Privacy.PERSONAL: "Stadtfunk personal",
}
"""Of the organisations."""
SEES: Final[Mapping[Privacy, tuple[Privacy, ...]]] = {
    Privacy.OPEN: (Privacy.OPEN,),
    Privacy.INTERNAL: (Privacy.OPEN, Privacy.INTERNAL),
    Privacy.PERSONAL: (Privacy.PERSONAL,),
}
BOARDS: Final[Mapping[Privacy, Organisation]] = {Privacy.OPEN: "open", Privacy.INTERNAL: "internal"}
"""The classes that have dashboards; who may see personal readings makes some for the purpose at hand."""
TITLES: Final[Mapping[Language, str]] = {"de": "Stadtfunk", "en": "Stadtfunk (English)"}
ALARMS: Final[Mapping[Language, Folder]] = {
    "de": Folder("stadtfunk-alerts", "Stadtfunk Alarme"),
    "en": Folder("stadtfunk-alerts", "Stadtfunk alerts"),
}
"""One folder, whatever its title: a rule's uid is that of one rule."""
TEAM: Final = "Stadtfunk"


class Wanted(NamedTuple):
    """All that is to be there.

    `tokens` are InfluxDB's, for each class one that reads its bucket and no other: classes without one are left out.
    `kinds` are the kinds of assets in the city, None where it is not known. `influx_url` is how Grafana reaches the
    database; `timezone` that of the mute timing.
    """

    influx: InfluxSettings
    influx_url: str
    timezone: str
    tokens: Mapping[Privacy, str]
    names: Names = NAMES
    languages: tuple[Language, ...] = ("de",)
    tiles: str | None = None
    kinds: Collection[str] | None = None
    receiver: Receiver | None = None
    docs: str = ""
    editable: bool = False
    renew: bool = False

    @property
    def organisations(self) -> tuple[Privacy, ...]:
        """The classes whose organisation can be made: whose data sources all have a token."""
        return tuple(each for each in Privacy if all(seen in self.tokens for seen in SEES[each]))


class Provisioner:
    """A Grafana and the one plan for it: what `--dry-run` shows is what `run` does. Raises ProvisionError."""

    def __init__(self, settings: GrafanaSettings, administrator: Administrator, wanted: Wanted) -> None:
        self._settings, self._administrator, self._wanted = settings, administrator, wanted
        self._open = ExitStack()
        self._known: dict[str, Grafana | None] = {}
        self.plan = Plan(())

    def __enter__(self) -> Self:
        """Look at what is there, and plan."""
        try:
            self.plan = plan_of(self._findings())
        except BaseException:
            self._open.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        """Close the connections."""
        self._open.close()

    def run(self, steps: Sequence[Step], on_step: Callable[[Step], None]) -> None:
        """Take these steps of the plan in their order; ends at the first that fails, and a second run goes on."""
        for step in steps:
            try:
                self._take(step)
            except ProvisionError as error:
                raise ProvisionError(f"{step.describe()}: {error}") from error
            on_step(step)

    def _take(self, step: Step) -> None:
        grafana = self._known.get(step.organisation)
        if grafana is None:
            step.take(self._main())
            grafana = self._known[step.organisation] = self._entered(self._number(step.organisation), step.organisation)
        else:
            step.take(grafana)

    def _findings(self) -> Iterator[Finding]:
        wanted = self._wanted
        if not wanted.organisations:
            raise ProvisionError("no organisation can be set up without tokens of InfluxDB for its data sources")
        left = [each.name.lower() for each in Privacy if each not in wanted.organisations]
        if left:
            yield Finding(note=f"left out, for want of tokens: {', '.join(left)}")
        for privacy in self._chosen():
            name = wanted.names[privacy]
            number = self._number(name)
            there = self._known[name] = None if number is None else self._entered(number, name)
            if number is None:
                take = _new_organisation(name)
                yield Finding(Step(name, "create organisation", take))
            yield from self._of(privacy, Where(name, there))

    def _chosen(self) -> tuple[Privacy, ...]:
        """The classes to set up: all, or the one whose organisation the administrator's token belongs to."""
        wanted = self._wanted
        if self._administrator.everywhere:
            return wanted.organisations
        own = str(self._main().ask("GET", "/org")["name"])
        chosen = tuple(each for each in wanted.organisations if wanted.names[each] == own)
        if not chosen:
            raise ProvisionError(
                f"the token belongs to the organisation {own!r}, which is none of those to set up; "
                f"name it by --organisation internal={own!r}"
            )
        return chosen

    def _main(self) -> Grafana:
        if "" not in self._known:
            self._known[""] = self._open.enter_context(Grafana(self._settings, self._administrator))
        grafana = self._known[""]
        assert grafana is not None  # noqa: S101 - put there above
        return grafana

    def _number(self, name: str) -> int | None:
        main = self._main()
        if not self._administrator.everywhere:
            return int(main.ask("GET", "/org")["id"])
        found = main.find(f"/orgs/name/{quoted(name)}")
        return None if found is None else int(found["id"])

    def _entered(self, number: int | None, name: str) -> Grafana:
        """Requests to this organisation, once it is sure that they go there and to no other one."""
        if number is None:
            raise ProvisionError(f"organisation {name!r} was made, and is not there")
        grafana = self._open.enter_context(Grafana(self._settings, self._administrator, number))
        own = grafana.ask("GET", "/org")
        if int(own["id"]) != number:
            raise ProvisionError(f"the administrator is no member of the organisation {name!r}, and cannot enter it")
        return grafana

    def _of(self, privacy: Privacy, where: Where) -> Iterator[Finding]:
        wanted = self._wanted
        for seen in SEES[privacy]:
            yield source(where, self._source(seen, default=seen is SEES[privacy][0]), renew=wanted.renew)
        organisation = BOARDS.get(privacy)
        if organisation is None:
            return
        folders = {language: Folder(f"stadtfunk-{language}", TITLES[language]) for language in wanted.languages}
        for each in folders.values():
            yield folder(where, each)
        for language, place in folders.items():
            for model in dashboards(language, organisation, wanted.tiles).values():
                yield dashboard(where, model, place.uid)
        if privacy is Privacy.INTERNAL:
            yield from self._alerting(where, tuple(folders.values()))

    def _source(self, privacy: Privacy, *, default: bool) -> Source:
        wanted = self._wanted
        name = privacy.name.lower()
        bucket = wanted.influx.bucket(privacy)
        return Source(
            f"stadtfunk-{name}", f"Stadtfunk {name}", wanted.influx_url, bucket, wanted.tokens[privacy], default
        )

    def _alerting(self, where: Where, folders: tuple[Folder, ...]) -> Iterator[Finding]:
        """The team and all that alerts; rules in another folder than ours are left there."""
        wanted = self._wanted
        chosen, alarms = alerts(wanted.kinds), ALARMS[wanted.languages[0]]
        left = sorted({each.name for each in alerts()} - {each.name for each in chosen})
        if left:
            yield Finding(note=f"alerts left out, for the city has nothing that they watch: {', '.join(left)}")
        rules: list[dict[str, Any]] = [rule(each, wanted.languages[0], wanted.docs) for each in chosen]
        if elsewhere(where, rules[0], alarms.uid):
            yield team(where, TEAM, folders)
            yield Finding(note=f"{where.organisation}: the alert rules stand in another folder, and are left there")
        else:
            yield folder(where, alarms)
            yield team(where, TEAM, (*folders, alarms))
            yield rule_group(where, rules, alarms.uid, editable=wanted.editable)
        yield timing(where, wanted.timezone)
        if wanted.receiver is None:
            yield Finding(note="alerts go where Grafana sends them by default: no --alert-mail or --alert-webhook-file")
            return
        yield contact(where, wanted.receiver, editable=wanted.editable)
        yield policy(where)


def _new_organisation(name: str) -> Callable[[Grafana], None]:
    return lambda grafana: grafana.ask("POST", "/orgs", {"name": name})
