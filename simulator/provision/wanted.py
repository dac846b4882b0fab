"""What a ChirpStack must know so that a simulated city can speak to it."""

from dataclasses import dataclass

from rules.city import City
from simulator.chirpstack import Identity
from simulator.city import gateways
from simulator.lorawan.end_device import Credentials, Session
from simulator.lorawan.keys import Activation, credentials, personalised
from simulator.play import Plan, Simulation
from simulator.radio import Gateway

CODEC_TAG = "codec"


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """A device profile: one for each codec, which its tag names."""

    name: str
    tags: dict[str, str]
    personalised: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Registered:
    """One device; `session` for a personalised one."""

    identity: Identity
    profile: str
    tags: dict[str, str]
    credentials: Credentials
    session: Session | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Everything below one tenant, in a fixed order."""

    tenant: str
    applications: tuple[str, ...]
    profiles: tuple[Profile, ...]
    gateways: tuple[Gateway, ...]
    devices: tuple[Registered, ...]


def wanted(
    city: City,
    tenant: str,
    seed: int,
    devices: int | None,
    activation: Activation,
    models: tuple[str, ...] = (),
) -> Wanted:
    """What `simulate` with the same city, seed, number of devices and models will send; raises SimulatorError."""
    plan = Plan(seed=seed, start_ns=0, devices=devices, models=models)
    identities = [device.identity for device in Simulation(city, plan).devices]
    registered = tuple(_registered(identity, seed, activation) for identity in identities)
    codecs = {device.profile: device.identity.tags[CODEC_TAG] for device in registered}
    return Wanted(
        tenant=tenant,
        applications=tuple(sorted({identity.application for identity in identities})),
        profiles=tuple(
            Profile(name=name, tags={CODEC_TAG: codec}, personalised=activation is Activation.ABP)
            for name, codec in sorted(codecs.items())
        ),
        gateways=gateways(city),
        devices=registered,
    )


def _registered(identity: Identity, seed: int, activation: Activation) -> Registered:
    """A device whose codec its profile names, as with real ones."""
    by_person = activation is Activation.ABP
    return Registered(
        identity=identity,
        profile=f"{identity.profile} (ABP)" if by_person else identity.profile,
        tags={name: value for name, value in identity.tags.items() if name != CODEC_TAG},
        credentials=credentials(seed, identity.dev_eui),
        session=personalised(seed, identity.dev_eui) if by_person else None,
    )
