"""Which detectors, junctions and groups belong together, by what the features of the city name.

A rule sees its own asset only. `link` puts the assets that a junction, control group or corridor needs among its
properties, under a name that no file can hold.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from rules.asset import Asset, CityError

LINKED = "\x00linked"
LINKS = ("junction", "control_group", "corridor")
"""Kinds that are linked, in this order."""


@dataclass(frozen=True, slots=True)
class Linked:
    """What belongs to an asset; `above` are the groups that name it, or the corridors that do and have programmes."""

    detectors: tuple[Asset, ...] = ()
    junctions: tuple[Asset, ...] = ()
    groups: tuple[Asset, ...] = ()
    above: tuple[str, ...] = ()


NOT_LINKED = Linked()


def linked(asset: Asset) -> Linked:
    """What belongs to the asset; nothing where the city was not linked."""
    found = asset.properties.get(LINKED)
    return found if isinstance(found, Linked) else NOT_LINKED


def members(asset: Asset) -> Sequence[str]:
    """The ids of the detectors whose observations the rules about the asset need: those that measure demand."""
    return tuple(detector.id for detector in linked(asset).detectors if detector.properties.get("role") == "demand")


def members_signals(asset: Asset) -> Sequence[tuple[str, str]]:
    """The answers about the signal plans of a corridor's groups."""
    return tuple((group.id, "signal-plan") for group in linked(asset).groups)


def link(assets: Iterable[Asset]) -> list[Asset]:
    """The same assets, linked; raises CityError where one names an id that is not there or of another kind.

    A detector belongs to the junction of its property `junction`; a group to its `junctions`' detectors and those of
    its own `detectors`; a corridor to its `control_groups` and their detectors.
    """
    listed = list(assets)
    known = {asset.id: asset for asset in listed}
    by_junction = _by_junction(listed, known)
    groups = {asset.id: _group(asset, known, by_junction) for asset in listed if asset.kind == "control_group"}
    corridors = {asset.id: _corridor(asset, known, groups) for asset in listed if asset.kind == "corridor"}
    above = _above(groups, {id_: found for id_, found in corridors.items() if "programmes" in known[id_].properties})
    done: dict[str, Asset] = {}
    for asset in sorted(listed, key=lambda asset: LINKS.index(asset.kind) if asset.kind in LINKS else -1):
        id_ = asset.id
        found = groups.get(id_) or corridors.get(id_) or Linked(detectors=by_junction.get(id_, ()))
        done[id_] = _with(asset, found, tuple(above.get(id_, ())), done) if asset.kind in LINKS else asset
    return [done[asset.id] for asset in listed]


def _above(groups: Mapping[str, Linked], corridors: Mapping[str, Linked]) -> dict[str, list[str]]:
    """Who names a junction or group."""
    above: dict[str, list[str]] = {}
    for id_, found in groups.items():
        for junction in found.junctions:
            above.setdefault(junction.id, []).append(id_)
    for id_, found in corridors.items():
        for group in found.groups:
            above.setdefault(group.id, []).append(id_)
    return above


def _with(asset: Asset, found: Linked, above: tuple[str, ...], done: Mapping[str, Asset]) -> Asset:
    """The asset with what belongs to it; junctions and groups among that are linked themselves."""
    whole = Linked(
        found.detectors,
        tuple(done[junction.id] for junction in found.junctions),
        tuple(done[group.id] for group in found.groups),
        above,
    )
    return replace(asset, properties={**asset.properties, LINKED: whole})


def _by_junction(listed: Iterable[Asset], known: Mapping[str, Asset]) -> dict[str, tuple[Asset, ...]]:
    found: dict[str, tuple[Asset, ...]] = {}
    for asset in listed:
        if asset.kind == "detector" and "junction" in asset.properties:
            id_ = _known(asset, "junction", asset.properties["junction"], "junction", known).id
            found[id_] = (*found.get(id_, ()), asset)
    return found


def _group(asset: Asset, known: Mapping[str, Asset], by_junction: Mapping[str, tuple[Asset, ...]]) -> Linked:
    junctions = tuple(_named(asset, "junctions", "junction", known))
    found = {item.id: item for junction in junctions for item in by_junction.get(junction.id, ())}
    found |= {item.id: item for item in _named(asset, "detectors", "detector", known)}
    return Linked(detectors=tuple(found.values()), junctions=junctions)


def _corridor(asset: Asset, known: Mapping[str, Asset], groups: Mapping[str, Linked]) -> Linked:
    chosen = tuple(_named(asset, "control_groups", "control_group", known))
    found = {item.id: item for group in chosen for item in groups[group.id].detectors}
    found |= {item.id: item for item in _named(asset, "detectors", "detector", known)}
    junctions = {item.id: item for group in chosen for item in groups[group.id].junctions}
    return Linked(tuple(found.values()), tuple(junctions.values()), chosen)


def _named(asset: Asset, name: str, kind: str, known: Mapping[str, Asset]) -> Iterator[Asset]:
    value = asset.properties.get(name, [])
    if not isinstance(value, list):
        raise asset.error(name, value, f"a list of ids of features of kind {kind}")
    for id_ in dict.fromkeys(map(str, value)):
        yield _known(asset, name, id_, kind, known)


def _known(asset: Asset, name: str, id_: object, kind: str, known: Mapping[str, Asset]) -> Asset:
    found = known.get(id_) if isinstance(id_, str) else None
    if found is None or found.kind != kind:
        raise CityError(
            f"feature {asset.id!r}: property {name!r} names {id_!r:.80}, expected the id of a feature of kind {kind}"
        )
    return found
