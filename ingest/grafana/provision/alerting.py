"""Alert rules, contact point, mute timing and notification policy: what is there, and the step that makes it right.

Source: Grafana's documentation, "Alerting provisioning HTTP API". Each rule carries a digest of itself in an annotation
that people are not shown, so that one which was changed by hand is known as such. What the API wrote can only be
changed by the API, unless it was written with X-Disable-Provenance: so are the tree of policies, which is others', too,
and the mute timing, which is an example.
"""

from collections.abc import Mapping
from typing import Any, Final

from ingest.grafana.alerts.build import EVERY_S, GROUP, NIGHT, Receiver, contact_point, mute_timing, route
from ingest.grafana.provision.http import Grafana
from ingest.grafana.provision.plan import RIGHT, Finding, Step, differences, digest, within
from ingest.grafana.provision.things import Json, Where, quoted

ROOT: Final = "/v1/provisioning"
HIDDEN: Final = "__stadtfunk__"
"""Annotations with such names stand in no notification."""
EDITABLE: Final = {"X-Disable-Provenance": "true"}
BY_FILE: Final = "file"
PAUSED: Final = "isPaused"


def elsewhere(where: Where, rule: Json, folder_uid: str) -> bool:
    """Whether our rules stand in another folder, as those from a file of Grafana's own do."""
    found = where.find(f"{ROOT}/alert-rules/{quoted(rule['uid'])}")
    return found is not None and found.get("folderUID") != folder_uid


def rule_group(where: Where, rules: list[Json], folder_uid: str, *, editable: bool) -> Finding:
    """The group of all our rules; one that somebody paused stays paused."""
    path = f"{ROOT}/folder/{folder_uid}/rule-groups/{GROUP}"
    found = where.find(path)
    known = {each.get("uid"): each for each in (found or {}).get("rules", ())}
    if not known:
        take = _put_rules(path, rules, folder_uid, {}, editable=editable)
        return Finding(Step(where.organisation, f"create {len(rules)} alert rules", take))
    wanted = {each["uid"]: each for each in rules}
    there = {uid: _reduced(each, wanted.get(uid) or _like(each, rules[0])) for uid, each in known.items()}
    if there == wanted:
        return RIGHT
    edited = [uid for uid, each in there.items() if not _is_ours(known[uid], each)]
    changed = sorted(str(uid) for uid in there.keys() | wanted.keys() if there.get(uid) != wanted.get(uid))
    what = f"{'overwrite' if edited else 'change'} alert rules {', '.join(changed)}"
    if edited:
        what += f"; edited by hand: {', '.join(map(str, edited))}"
    diff = differences({each: there.get(each) for each in changed}, {each: wanted.get(each) for each in changed}, GROUP)
    take = _put_rules(path, rules, folder_uid, known, editable=editable)
    return Finding(Step(where.organisation, what, take, bool(edited), diff))


def _reduced(there: Json, wanted: Json) -> Json:
    """The rule that is there, without what Grafana and we add to it."""
    notes = {key: value for key, value in there.get("annotations", {}).items() if key != HIDDEN}
    found: Json = within(wanted, {**there, "annotations": notes})
    return {**found, "annotations": notes}


def _like(there: Json, ours: Json) -> Json:
    """A rule that is wanted no more, with the keys that one of ours has."""
    keys = ours["data"][0].keys()
    data = [{key: value for key, value in each.items() if key in keys} for each in there["data"]]
    return {**{key: value for key, value in there.items() if key in ours}, "data": data}


def _is_ours(there: Json, reduced: Json) -> bool:
    return bool(there.get("annotations", {}).get(HIDDEN) == digest(reduced))


def _put_rules(path: str, rules: list[Json], folder_uid: str, known: Mapping[Any, Json], *, editable: bool) -> Any:  # noqa: ANN401 - a function
    def written(rule: Json) -> Json:
        notes = {**rule["annotations"], HIDDEN: digest(rule)}
        paused = bool(known.get(rule["uid"], {}).get(PAUSED, False))
        return {**rule, "annotations": notes, PAUSED: paused, "folderUID": folder_uid, "ruleGroup": GROUP}

    def take(grafana: Grafana) -> None:
        own = {"orgID": grafana.organisation} if grafana.organisation else {}
        body = {
            "title": GROUP,
            "folderUid": folder_uid,
            "interval": EVERY_S,
            "rules": [{**written(each), **own} for each in rules],
        }
        grafana.ask("PUT", path, body, EDITABLE if editable else None)

    return take


def contact(where: Where, receiver: Receiver, *, editable: bool) -> Finding:
    """The contact point; its address is never shown, for it may hold a secret."""
    wanted = contact_point(receiver)
    found = where.find(f"{ROOT}/contact-points?name={GROUP}") or []
    there = next((each for each in found if each.get("name") == GROUP), None)
    headers = EDITABLE if editable else None
    name = f"contact point {GROUP!r} ({receiver.kind})"
    if there is None:
        path = f"{ROOT}/contact-points"
        return Finding(
            Step(where.organisation, f"create {name}", lambda grafana: grafana.ask("POST", path, wanted, headers))
        )
    if within(wanted, there) == {**wanted, "uid": there.get("uid")}:
        return RIGHT
    path = f"{ROOT}/contact-points/{quoted(str(there['uid']))}"
    body = {**wanted, "uid": there["uid"]}
    what = f"overwrite {name}, which is another one in Grafana"
    return Finding(Step(where.organisation, what, lambda grafana: grafana.ask("PUT", path, body, headers), edited=True))


def timing(where: Where, timezone: str) -> Finding:
    """The mute timing, an example: one that is there stays as people made it."""
    if where.find(f"{ROOT}/mute-timings/{NIGHT}") is not None:
        return RIGHT
    body = mute_timing(timezone)
    return Finding(
        Step(
            where.organisation,
            f"create mute timing {NIGHT!r}",
            lambda grafana: grafana.ask("POST", f"{ROOT}/mute-timings", body, EDITABLE),
        )
    )


def policy(where: Where) -> Finding:
    """Our branch in the tree of notification policies; all others stay, and ours stays as people made it."""
    tree = where.find(f"{ROOT}/policies") or {}
    branches = tree.get("routes") or []
    if any(each.get("receiver") == GROUP for each in branches):
        return RIGHT
    if tree.get("provenance") == BY_FILE:
        return Finding(note=f"{where.organisation}: the notification policies come from a file; alerts take its root")

    def take(grafana: Grafana) -> None:
        now = grafana.ask("GET", f"{ROOT}/policies")
        body = {key: value for key, value in now.items() if key != "provenance"}
        body["routes"] = [route(), *(now.get("routes") or [])]
        grafana.ask("PUT", f"{ROOT}/policies", body, EDITABLE)

    return Finding(Step(where.organisation, f"send alerts to contact point {GROUP!r}", take))
