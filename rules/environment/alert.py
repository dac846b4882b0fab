"""Alerts of the environment: raised, updated, cleared; never valid longer than the readings they stand on."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import NamedTuple

from rules.asset import Asset
from rules.environment.words import CLEARED, CONTRADICTING, INCOMPLETE, INDICATIVE, NO_DATA, OWN, WORDS, Text
from rules.event import SOURCE_ROOT, Evidence, event_id, instant
from rules.event_environment import AlertKind, EnvironmentalAlert, EnvironmentalAlertData
from rules.rule import Input

MAX_SOURCES = 8
DAY_S = 86_400


class Shown(NamedTuple):
    """What the newest event said; level 0 also where there was none."""

    level: int = 0
    valid_until_ms: int = 0
    since_ms: int = 0


class Finding(NamedTuple):
    """What an event tells beside the level: figures for machines, words for people; `name` is the level's own."""

    evidence: tuple[Evidence, ...]
    text: Text
    name: Text | None = None
    incomplete: bool = False
    contradicting: bool = False


@dataclass(frozen=True, slots=True)
class Speaker:
    """Who speaks of what: a rule about an asset; `fresh_ms` is how long a reading may carry an alert."""

    rule: str
    version: int
    kind: AlertKind
    asset: str
    name: str
    indicative: bool
    fresh_ms: int

    def say(
        self, shown: Shown, level: int, heard_ms: int, given: Input, tell: Callable[[], Finding]
    ) -> tuple[Shown, tuple[EnvironmentalAlert, ...]]:
        """The alert when the level changes or wants renewal; `heard_ms` is the age of what it stands on.

        On readings older than `fresh_ms` nothing is said but that an alert ends for want of data.
        """
        until_ms = min(heard_ms, given.now_ms) + self.fresh_ms
        if until_ms <= given.now_ms:
            return self.fall_silent(shown, heard_ms, given)
        if level == shown.level and (level == 0 or not self._wants_renewal(shown, until_ms, given.now_ms)):
            return shown, ()
        since_ms = 0 if level == 0 else shown.since_ms or given.now_ms
        saying = Shown(level, until_ms, since_ms)
        return saying, (self._event(shown, saying, given, tell()),)

    def fall_silent(self, shown: Shown, heard_ms: int, given: Input) -> tuple[Shown, tuple[EnvironmentalAlert, ...]]:
        """The end of an alert whose readings are too old; without an alert nothing."""
        if shown.level == 0:
            return shown, ()
        nothing = evidence("", None, "1", heard_ms, given.now_ms, n_samples=0)
        saying = Shown(0, given.now_ms + self.fresh_ms, 0)
        return saying, (self._event(shown, saying, given, Finding((nothing,), NO_DATA), silent=True),)

    def ends_ms(self, shown: Shown, heard_ms: int) -> int | None:
        """When an alert ends unless something is heard; None without one."""
        return heard_ms + self.fresh_ms if shown.level else None

    def _wants_renewal(self, shown: Shown, until_ms: int, now_ms: int) -> bool:
        return until_ms > shown.valid_until_ms and now_ms >= shown.valid_until_ms - self.fresh_ms // 2

    def _event(
        self, shown: Shown, saying: Shown, given: Input, finding: Finding, *, silent: bool = False
    ) -> EnvironmentalAlert:
        text = self._text(saying.level, finding, silent=silent)
        return EnvironmentalAlert(
            id=event_id(self.rule, self.asset, "alert", given.cause),
            source=f"{SOURCE_ROOT}/{self.rule}",
            subject=self.asset,
            time=instant(given.now_ms),
            data=EnvironmentalAlertData(
                rule=self.rule,
                rule_version=self.version,
                valid_until=instant(saying.valid_until_ms),
                evidence=finding.evidence,
                kind=self.kind,
                status="cleared" if not saying.level else "updated" if shown.level else "raised",
                reason="no_data" if silent else "measured",
                level=saying.level,
                previous_level=shown.level,
                since=instant(saying.since_ms) if saying.level else None,
                indicative=self.indicative,
                incomplete=finding.incomplete or silent,
                contradicting=finding.contradicting,
                text_de=text.de,
                text_en=text.en,
            ),
        )

    def _text(self, level: int, finding: Finding, *, silent: bool) -> Text:
        words = WORDS[self.kind]
        what = finding.name or words.levels[level - 1] if level else CLEARED
        notes = [INDICATIVE] if self.indicative else []
        notes += [INCOMPLETE] if finding.incomplete and not silent else []
        notes += [CONTRADICTING] if finding.contradicting else []
        said = Text("", "") if silent else what
        parts = (said, finding.text, words.advice if level else Text("", ""), *notes, OWN)
        return Text(
            f"{words.title.de} {self.name}: {_joined(part.de for part in parts)}",
            f"{words.title.en} {self.name}: {_joined(part.en for part in parts)}",
        )


def speaker(asset: Asset, rule: str, version: int, kind: AlertKind, fresh_ms: int) -> Speaker:
    """The speaker of a rule about an asset; sensors are simple ones unless `indicative` is false."""
    name = (asset.name or asset.id)[:100]
    return Speaker(rule, version, kind, asset.id, name, asset.flag("indicative", default=True), fresh_ms)


def milliseconds(asset: Asset, name: str, default_s: int, low: int = 60, high: int = 7 * DAY_S) -> int:
    """A duration property in whole seconds, as ms; raises CityError."""
    return asset.whole(name, default_s, low=low, high=high) * 1000


def evidence(
    quantity: str,
    value: float | None,
    unit: str,
    newest_ms: int,
    now_ms: int,
    *,
    n_samples: int,
    window_ms: int | None = None,
    threshold: float | None = None,
    hysteresis: float | None = None,
    coverage: float | None = None,
    sources: Iterable[str] = (),
) -> Evidence:
    """What a decision stands on; `coverage` as a part of one, `newest_ms` 0 where nothing was heard."""
    return Evidence(
        quantity=quantity,
        value=value,
        unit=unit,
        window_s=None if window_ms is None else window_ms / 1000,
        threshold=threshold,
        hysteresis=hysteresis,
        n_samples=n_samples,
        coverage_pct=None if coverage is None else round(100 * min(1.0, coverage), 1),
        newest_at=instant(newest_ms) if newest_ms else None,
        age_s=max(0, now_ms - newest_ms) / 1000 if newest_ms else None,
        sources=tuple(sorted(sources))[:MAX_SOURCES],
    )


def decimal(value: float, digits: int = 1) -> Text:
    """A figure as both languages write it."""
    text = f"{value:.{digits}f}"
    return Text(text.replace(".", ","), text)


def _joined(parts: Iterable[str]) -> str:
    sentences = (part if part.endswith((".", "!")) else f"{part}." for part in parts if part)
    return " ".join(sentences)
