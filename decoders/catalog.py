"""All codecs: the modules of vendors are listed by hand, each lists its own in `CODECS`."""

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from operator import attrgetter
from types import MappingProxyType

from decoders.codec import Codec
from decoders.devices import (
    adeunis,
    adnexo,
    alpha_omega,
    axioma,
    bosch,
    browan,
    cayenne,
    comtac,
    decentlab,
    decentlab_water,
    decentlab_weather,
    digital_matter,
    dingtek,
    dragino,
    dragino_air,
    dragino_level,
    dragino_other,
    elsys,
    elvaco,
    emu,
    eurecam,
    imbuildings,
    inbiot,
    innotas,
    kamstrup,
    keller,
    landis_gyr,
    libelium,
    lobaro,
    mclimate,
    milesight,
    milesight_am,
    milesight_em,
    milesight_other,
    milesight_passage,
    milesight_vs,
    nas,
    netvox,
    nwave,
    parametric,
    paxcounter,
    pepperl_fuchs,
    pipiot,
    pmx,
    pni,
    quandify,
    seeed,
    sensative,
    sensoneo,
    sentinum,
    smartends,
    sontex,
    strega,
    swisslogix,
    synetica,
    talkpool,
    tekelek,
    tektelic,
    tekzitel,
    teneo,
    terabee,
    tinovi,
    uradmonitor,
    vega,
    watteco,
    xter,
)
from decoders.error import UnknownCodec

MODULES = (
    adeunis,
    adnexo,
    alpha_omega,
    axioma,
    bosch,
    browan,
    cayenne,
    comtac,
    decentlab,
    decentlab_water,
    decentlab_weather,
    digital_matter,
    dingtek,
    dragino,
    dragino_air,
    dragino_level,
    dragino_other,
    elsys,
    elvaco,
    emu,
    eurecam,
    imbuildings,
    inbiot,
    innotas,
    kamstrup,
    keller,
    landis_gyr,
    libelium,
    lobaro,
    mclimate,
    milesight,
    milesight_am,
    milesight_em,
    milesight_other,
    milesight_passage,
    milesight_vs,
    nas,
    netvox,
    nwave,
    parametric,
    paxcounter,
    pepperl_fuchs,
    pipiot,
    pmx,
    pni,
    quandify,
    seeed,
    sensative,
    sensoneo,
    sentinum,
    smartends,
    sontex,
    strega,
    swisslogix,
    synetica,
    talkpool,
    tekelek,
    tektelic,
    tekzitel,
    teneo,
    terabee,
    tinovi,
    uradmonitor,
    vega,
    watteco,
    xter,
)
CODECS: tuple[Codec, ...] = tuple(sorted((item for module in MODULES for item in module.CODECS), key=attrgetter("id")))


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
