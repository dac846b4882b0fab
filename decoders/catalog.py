"""All codecs, listed by hand in one place."""

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from types import MappingProxyType

from decoders.codec import Codec
from decoders.devices import bosch, decentlab, elsys, milesight, nwave, parametric, pepperl_fuchs, pmx
from decoders.error import UnknownCodec

CODECS: tuple[Codec, ...] = (
    bosch.TPS110,
    decentlab.DL_PM,
    elsys.GENERIC,
    milesight.EM310_UDL,
    milesight.EM400_MUD,
    nwave.NPS405,
    parametric.PCR2,
    pepperl_fuchs.WILSEN_SONIC,
    pmx.TCR,
)


def by_id(codecs: Iterable[Codec]) -> Mapping[str, Codec]:
    """Codecs by their id; two of one id are a ValueError."""
    found: dict[str, Codec] = {}
    for codec in codecs:
        if codec.id in found:
            raise ValueError(f"two codecs have the id {codec.id}")
        found[codec.id] = codec
    return MappingProxyType(found)


BY_ID = by_id(CODECS)


def codec(codec_id: str) -> Codec:
    """The codec of an id, or UnknownCodec that names the nearest one."""
    found = BY_ID.get(codec_id)
    if found is None:
        near = get_close_matches(codec_id, BY_ID, n=1, cutoff=0)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise UnknownCodec(f"unknown codec {codec_id!r}{hint}")
    return found
