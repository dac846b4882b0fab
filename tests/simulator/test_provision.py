"""`stadtfunk simulate provision` against a ChirpStack that keeps what it is told."""

import asyncio
import json
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
import typer
from chirpstack_api import api
from typer.testing import CliRunner, Result

from simulator.cli import register
from simulator.files import read_city
from simulator.lorawan.keys import Activation, credentials, personalised
from simulator.play import Plan, Simulation
from simulator.provision import registry
from simulator.provision.client import Access, ProvisionError
from simulator.provision.registry import Step, provision
from simulator.provision.wanted import Wanted, wanted
from tests.doubles.chirpstack_api import TOKEN, State, chirpstack_api

TENANT = "Simulated city"
SEED = 5
NUMBER = 12


def access(state: State, token: str = TOKEN) -> Access:
    """Where the double is."""
    return Access(f"127.0.0.1:{state.port}", token)


def some(
    activation: Activation = Activation.OTAA, number: int = NUMBER, seed: int = SEED, tenant: str = TENANT
) -> Wanted:
    """What is wanted of the example city."""
    return wanted(read_city(None), tenant, seed, number, activation)


async def brought(state: State, what: Wanted, *, dry_run: bool = False) -> list[Step]:
    """The steps of one run."""
    steps: list[Step] = []
    await provision(what, access(state), steps.append, dry_run=dry_run)
    return steps


def ours(state: State) -> str:
    """The tenant's id."""
    (found,) = [name for name, line in state.tenants.items() if line.name == TENANT]
    return found


async def test_everything_is_there() -> None:
    """Tenant with gateways, applications, profiles with codecs, gateways in place, devices with tags and keys."""
    what = some()
    async with chirpstack_api() as state:
        steps = await brought(state, what)
        (tenant,) = state.tenants.values()
        assert (tenant.name, tenant.can_have_gateways) == (TENANT, True)
        assert {line.name for line in state.applications.values()} == set(what.applications)
        assert {line.tenant_id for line in (*state.applications.values(), *state.profiles.values())} == {tenant.id}
        assert {line.gateway_id: (line.location.latitude, line.tenant_id) for line in state.gateways.values()} == {
            gateway.gateway_id: (gateway.latitude, tenant.id) for gateway in what.gateways
        }
        assert len(state.devices) == len(state.keys) == NUMBER
        for device in what.devices:
            identity = device.identity
            found = state.devices[identity.dev_eui]
            profile = state.profiles[found.device_profile_id]
            assert (profile.name, profile.tags["codec"]) == (identity.profile, identity.tags["codec"])
            assert (profile.supports_otaa, profile.mac_version, profile.region) == (True, 3, 0)
            assert {**found.tags, **profile.tags} == identity.tags
            assert state.applications[found.application_id].name == identity.application
            assert (found.name, found.join_eui) == (identity.name, "025354464b000000")
            key = credentials(SEED, identity.dev_eui).app_key.hex()
            assert state.keys[identity.dev_eui] == api.DeviceKeys(dev_eui=identity.dev_eui, nwk_key=key)
        assert sum(state.changes.values()) == len(steps)
        assert {step.action for step in steps} == {"create"}


@pytest.mark.parametrize("activation", Activation)
async def test_a_second_run_changes_nothing(activation: Activation) -> None:
    """No step, and no call that changes anything, although counters have gone on in the meantime."""
    async with chirpstack_api() as state:
        assert await brought(state, some(activation))
        before, changes = state.everything(), state.changes
        assert await brought(state, some(activation)) == []
        assert state.everything() == before
        assert state.changes == changes


async def test_an_altitude_that_the_database_rounds() -> None:
    """ChirpStack keeps 32 bits of it: a second run finds what it has sent."""
    city = some()
    high = replace(city, gateways=tuple(gateway._replace(height_m=30.1) for gateway in city.gateways))
    async with chirpstack_api() as state:
        assert await brought(state, high)
        assert await brought(state, high) == []


async def test_personalised_devices() -> None:
    """Devices of ABP have a session instead of a key, on profiles of their own that do not join."""
    async with chirpstack_api() as state:
        steps = await brought(state, some(Activation.ABP))
        assert not state.keys
        assert sum(step.action == "activate" for step in steps) == NUMBER
        for dev_eui, found in state.activations.items():
            session = personalised(SEED, dev_eui)
            assert (found.dev_addr, found.app_s_key) == (session.dev_addr, session.keys.app_s_key.hex())
            network = session.keys.nwk_s_key.hex()
            assert {found.nwk_s_enc_key, found.s_nwk_s_int_key, found.f_nwk_s_int_key} == {network}
            assert state.devices[dev_eui].skip_fcnt_check
        for profile in state.profiles.values():
            assert (profile.supports_otaa, profile.abp_rx1_delay, profile.abp_rx2_freq) == (False, 1, 869_525_000)


async def test_from_one_activation_to_the_other() -> None:
    """The same devices move to the other profile, get the session, and keep their key."""
    async with chirpstack_api() as state:
        await brought(state, some())
        steps = await brought(state, some(Activation.ABP))
        assert [step.action for step in steps if step.kind == "device"].count("update") == NUMBER
        assert len(state.activations) == len(state.keys) == NUMBER


async def test_a_dry_run_changes_nothing() -> None:
    """The same steps as the run for good, of an empty ChirpStack and of a half filled one; no change."""
    async with chirpstack_api() as state:
        planned = await brought(state, some(), dry_run=True)
        assert not state.changes
        assert sorted(planned) == sorted(await brought(state, some()))
        more = some(number=NUMBER + 3)
        changes = state.changes
        planned = await brought(state, more, dry_run=True)
        assert state.changes == changes
        assert planned
        assert sorted(planned) == sorted(await brought(state, more))


async def test_only_what_differs_is_changed() -> None:
    """A profile without its codec, a gateway elsewhere, a device without its asset, another key: put right, no more."""
    async with chirpstack_api() as state:
        await brought(state, some())
        before = state.everything()
        profile = next(iter(state.profiles.values()))
        gateway = next(iter(state.gateways.values()))
        device = next(line for line in state.devices.values() if "asset" in line.tags)
        key = next(iter(state.keys.values()))
        del profile.tags["codec"]
        gateway.location.latitude = 1.0
        device.tags["asset"] = "elsewhere"
        key.nwk_key = "00" * 16
        steps = await brought(state, some())
        assert sorted(steps) == sorted(
            [
                Step("update", "device profile", profile.name),
                Step("update", "gateway", gateway.gateway_id),
                Step("update", "device", device.dev_eui),
                Step("update", "keys", key.dev_eui),
            ]
        )
        assert state.everything() == before


async def test_what_should_be_off_is_put_off() -> None:
    """A disabled device, one whose counters are not checked, a profile of other classes: put right, then settled."""
    async with chirpstack_api() as state:
        await brought(state, some())
        before = state.everything()
        disabled, unchecked = list(state.devices.values())[:2]
        profile = next(iter(state.profiles.values()))
        disabled.is_disabled = unchecked.skip_fcnt_check = True
        profile.supports_class_b = profile.supports_class_c = True
        assert sorted(await brought(state, some())) == sorted(
            [
                Step("update", "device profile", profile.name),
                Step("update", "device", disabled.dev_eui),
                Step("update", "device", unchecked.dev_eui),
            ]
        )
        assert state.everything() == before
        assert await brought(state, some()) == []


async def test_what_others_have_set_stays() -> None:
    """Further tags and a description survive a change."""
    async with chirpstack_api() as state:
        await brought(state, some())
        device = next(iter(state.devices.values()))
        device.tags["owner"] = "somebody"
        device.description = "at the corner"
        device.name = "another"
        assert await brought(state, some()) == [Step("update", "device", device.dev_eui)]
        assert (device.tags["owner"], device.description) == ("somebody", "at the corner")
        assert device.name != "another"


async def test_a_run_that_was_cut_goes_on() -> None:
    """A device without its key, as left by a run that ended halfway, gets it."""
    async with chirpstack_api() as state:
        await brought(state, some())
        dev_eui = next(iter(state.keys))
        del state.keys[dev_eui]
        assert await brought(state, some()) == [Step("create", "keys", dev_eui)]
        assert len(state.keys) == NUMBER


async def test_names_that_only_resemble() -> None:
    """A tenant whose name holds ours is another one; two of exactly our name are an error."""
    async with chirpstack_api() as state:
        state.tenants["x"] = api.Tenant(id="x", name=f"{TENANT} of others")
        await brought(state, some())
        assert len(state.tenants) == 2
        assert not any(line.tenant_id == "x" for line in state.applications.values())
        state.tenants["y"] = api.Tenant(id="y", name=TENANT)
        with pytest.raises(ProvisionError, match=f"there are 2 of the name '{TENANT}', expected one tenant"):
            await brought(state, some())


async def test_a_tenant_by_its_id() -> None:
    """A key that is a tenant's own may not list tenants: the id is enough; an id that is not there is an error."""
    async with chirpstack_api() as state:
        await brought(state, some())
        listed = state.calls["Tenants.List"]
        assert await brought(state, some(tenant=ours(state))) == []
        assert state.calls["Tenants.List"] == listed
        with pytest.raises(ProvisionError, match="no tenant 00000000-0000-4000-8000-000000000000"):
            await brought(state, some(tenant="00000000-0000-4000-8000-000000000000"))


@pytest.mark.parametrize("words", [False, True])
async def test_nothing_is_taken_from_others(words: bool) -> None:
    """A gateway of another tenant, a device of another application: an error that names it; it stays what it was."""
    what = some()
    async with chirpstack_api() as state:
        state.in_the_databases_words = words
        gateway = api.Gateway(gateway_id=what.gateways[0].gateway_id, tenant_id="other", name="theirs")
        state.gateways[gateway.gateway_id] = gateway
        with pytest.raises(ProvisionError, match=f"gateway {gateway.gateway_id} exists in another tenant"):
            await brought(state, what)
        assert gateway.name == "theirs"
        del state.gateways[gateway.gateway_id]
        dev_eui = what.devices[0].identity.dev_eui
        device = api.Device(dev_eui=dev_eui, application_id="other", name="theirs")
        state.devices[dev_eui] = device
        with pytest.raises(ProvisionError, match=f"device {dev_eui} exists in another application"):
            await brought(state, what)
        assert device.name == "theirs"


async def test_more_than_one_page(monkeypatch: pytest.MonkeyPatch) -> None:
    """More of everything than a page has: all are found again, page by page."""
    monkeypatch.setattr(registry, "PAGE", 2)
    async with chirpstack_api() as state:
        await brought(state, some())
        before = state.calls["Devices.List"]
        assert await brought(state, some()) == []
        sizes = Counter(line.application_id for line in state.devices.values())
        assert state.calls["Devices.List"] - before == sum(-(-size // 2) for size in sizes.values())
        assert max(sizes.values()) > 2


async def test_keys_follow_from_the_seed() -> None:
    """Another seed gives every device another key, and nothing else."""
    async with chirpstack_api() as state:
        await brought(state, some())
        steps = await brought(state, some(seed=SEED + 1))
        assert {step.kind for step in steps if step.action == "update"} == {"keys"}
        assert sum(step.kind == "keys" for step in steps) == NUMBER


def run(*words: str) -> Result:
    """The command, as typed."""
    app = typer.Typer(rich_markup_mode=None)
    app.callback()(lambda: None)
    register(app)
    return CliRunner().invoke(app, ["simulate", "provision", *words])


async def typed(state: State, folder: Path, *words: str, token: str = TOKEN) -> Result:
    """The command against the double."""
    (folder / "token").write_text(f"{token}\n")
    where = ("--api", f"127.0.0.1:{state.port}", "--api-token-file", str(folder / "token"), "--tenant", TENANT)
    return await asyncio.to_thread(run, *where, "--devices", "3", *words)


async def test_the_command(tmp_path: Path) -> None:
    """Dry run, run, second run: `would:`, `done:`, nothing to do; JSON has the same steps."""
    async with chirpstack_api() as state:
        dry = await typed(state, tmp_path, "--dry-run")
        assert dry.exit_code == 0, dry.output
        assert f"would: create tenant {TENANT}\n" in dry.stdout
        assert not state.changes
        planned = await typed(state, tmp_path, "--dry-run", "--json")
        assert json.loads(planned.stdout)["dry_run"] is True
        done = await typed(state, tmp_path, "--json")
        assert done.exit_code == 0, done.output
        steps = json.loads(done.stdout)["steps"]
        assert {"action": "create", "kind": "tenant", "name": TENANT} in steps
        assert len(steps) == len(json.loads(planned.stdout)["steps"]) == sum(state.changes.values())
        again = await typed(state, tmp_path)
        assert (again.exit_code, again.stdout) == (0, "nothing to do\n")


async def test_catalog_models(tmp_path: Path) -> None:
    """With `--models` the devices of such a simulation are entered, with their codecs; an unknown id is wrong usage."""
    chosen = ("dragino/lht65n", "milesight/ws558")
    async with chirpstack_api() as state:
        result = await typed(state, tmp_path, "--models", ",".join(chosen))
        assert result.exit_code == 0, result.output
        played = Simulation(read_city(None), Plan(seed=1, start_ns=0, devices=3, models=chosen)).devices
        assert state.devices.keys() == {device.identity.dev_eui for device in played}
        assert {profile.tags["codec"] for profile in state.profiles.values()} == set(chosen)
        wrong = await typed(state, tmp_path, "--models", "dragino/none")
        assert (wrong.exit_code, "dragino/none" in wrong.stderr) == (2, True)


async def test_failures_in_one_line(tmp_path: Path) -> None:
    """A wrong token, no ChirpStack, no token file, a certificate file that is not there: exit code 1 and one line."""
    async with chirpstack_api() as state:
        refused = await typed(state, tmp_path, token="wrong")
        assert "the API token is not accepted (invalid token)" in refused.stderr
        results = [refused, await typed(state, tmp_path, "--api-ca-file", str(tmp_path / "none"))]
        assert not state.changes
    results.append(await typed(state, tmp_path))
    assert "UNAVAILABLE" in results[-1].stderr
    results.append(run("--api", "127.0.0.1:1", "--api-token-file", str(tmp_path / "none"), "--tenant", TENANT))
    for result in results:
        assert result.exit_code == 1, result.output
        assert result.stderr.startswith("stadtfunk: error: ")
        assert result.stderr.count("\n") == 1
        assert "wrong" not in result.output


def test_wrong_usage() -> None:
    """What is needed is asked for."""
    result = run("--api", "127.0.0.1:1")
    assert result.exit_code == 2
    assert "--api-token-file" in result.stderr


@pytest.mark.parametrize("api_", ["127.0.0.1", ":8080", "127.0.0.1:99999", "127.0.0.1:0", "127.0.0.1:http"])
def test_an_address_has_host_and_port(tmp_path: Path, api_: str) -> None:
    """Without one gRPC would take another port, and say nothing."""
    result = run("--api", api_, "--api-token-file", str(tmp_path / "token"), "--tenant", TENANT)
    assert result.exit_code == 2
    assert f"--api {api_!r} is no HOST:PORT" in result.stderr


def test_nobody_is_no_tenant(tmp_path: Path) -> None:
    """An empty name is wrong usage, an empty token file is named."""
    token = tmp_path / "token"
    token.write_text("\n")
    words = ("--api", "127.0.0.1:1", "--api-token-file", str(token), "--tenant")
    assert run(*words, " ").exit_code == 2
    result = run(*words, TENANT)
    assert (result.exit_code, "it is empty" in result.stderr) == (1, True)


async def test_the_steps_done_are_told_before_a_failure(tmp_path: Path) -> None:
    """A run that fails halfway says in JSON what it has done."""
    async with chirpstack_api() as state:
        first = some(number=3).gateways[0].gateway_id
        state.gateways[first] = api.Gateway(gateway_id=first, tenant_id="other", name="theirs")
        result = await typed(state, tmp_path, "--json")
        assert result.exit_code == 1
        told = [step for step in json.loads(result.stdout)["steps"] if step["kind"] == "gateway"]
        assert first not in {step["name"] for step in told}
        assert json.loads(result.stdout)["steps"][0]["kind"] == "tenant"
