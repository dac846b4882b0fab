"""`stadtfunk provision grafana`: what Grafana is to show and to watch, over its HTTP API or as files that it reads."""

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from decoders.quantity import Privacy
from ingest import audit_note
from ingest.commands import provision_grafana_push as push
from ingest.commands.error import CommandError
from ingest.commands.provision_grafana_push import Secrets
from ingest.settings import Settings, load

if TYPE_CHECKING:
    from ingest.grafana.alerts.build import Receiver
    from ingest.grafana.provision.apply import Wanted
    from ingest.grafana.provision.plan import Step

EXAMPLE = (
    "Example: stadtfunk provision grafana --dry-run --admin-password-file password "
    "--open-token-file open --internal-token-file internal"
)
MISSING = "the extra `grafana` is not installed: pip install 'stadtfunk[grafana]'"
PLACES = ("{x}", "{y}", "{z}")
Language = Literal["de", "en"]
"""As ingest.grafana.dashboards.spec.Language, which belongs to the extra."""


def grafana(
    build: Annotated[
        Path | None, typer.Option("--build", help="Write the dashboards into this folder, and ask no Grafana.")
    ] = None,
    build_alerting: Annotated[
        Path | None, typer.Option(help="Write the alert rules into this folder, and ask no Grafana.")
    ] = None,
    config: Annotated[Path | None, typer.Option("-c", "--config", help="Settings file (TOML).")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the plan and change nothing.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Overwrite what somebody edited by hand.")] = False,
    language: Annotated[Language | None, typer.Option(help="Only this language; else both, alerts in German.")] = None,
    map_tiles: Annotated[
        str | None,
        typer.Option(help="Address of map tiles with {z}, {x}, {y}; without it maps have no ground.", metavar="URL"),
    ] = None,
    admin_user: Annotated[str, typer.Option(help="Administrator of the whole Grafana.")] = "admin",
    admin_password_file: Annotated[
        Path | None, typer.Option(help=f"File with the administrator's password; else {push.PASSWORD_VARIABLE}.")
    ] = None,
    admin_token_file: Annotated[
        Path | None, typer.Option(help="Token of a service account (role Admin) instead: its organisation alone.")
    ] = None,
    open_token_file: Annotated[Path | None, typer.Option(help="InfluxDB's token that reads open readings.")] = None,
    internal_token_file: Annotated[Path | None, typer.Option(help="The same for internal readings.")] = None,
    personal_token_file: Annotated[Path | None, typer.Option(help="The same for personal readings.")] = None,
    renew_tokens: Annotated[bool, typer.Option("--renew-tokens", help="Write these tokens again.")] = False,
    influxdb_url: Annotated[
        str | None, typer.Option(help="How Grafana reaches InfluxDB; else influxdb.url.", metavar="URL")
    ] = None,
    organisation: Annotated[
        list[str] | None,
        typer.Option(help="Name of a class's organisation, as in internal=City.", metavar="CLASS=NAME"),
    ] = None,
    alert_mail: Annotated[
        str | None, typer.Option(envvar="GRAFANA_ALERT_MAIL", help="Mail addresses for alerts, separated by ;")
    ] = None,
    alert_webhook_file: Annotated[
        Path | None,
        typer.Option(envvar="GRAFANA_ALERT_WEBHOOK_FILE", help="File with the address of a webhook for alerts."),
    ] = None,
    docs_url: Annotated[str, typer.Option(help="Where the runbooks are read.", metavar="URL")] = "",
    editable: Annotated[bool, typer.Option("--editable", help="Alerts may be changed in Grafana, too.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Organisations, data sources, folders, dashboards and alerts; a second run changes nothing.

    With --build or --build-alerting they are written as files for Grafana's own provisioning instead.
    """
    _examine(map_tiles, alert_mail, alert_webhook_file)
    names = _names(organisation or ())
    by_class = {
        Privacy.OPEN: open_token_file,
        Privacy.INTERNAL: internal_token_file,
        Privacy.PERSONAL: personal_token_file,
    }
    secrets = Secrets(admin_user, admin_password_file, admin_token_file, by_class, alert_webhook_file)
    try:
        from ingest.grafana.dashboards.spec import LANGUAGES  # noqa: PLC0415 - of an extra
        from ingest.grafana.provision import apply  # noqa: PLC0415 - the same
    except ImportError as error:
        raise CommandError(MISSING) from error
    languages = LANGUAGES if language is None else (language,)
    receiver = _receiver(alert_mail, alert_webhook_file)
    if build is not None or build_alerting is not None:
        timezone = load(config).city.timezone if build_alerting is not None else ""
        found = _files(build, build_alerting, languages, map_tiles, (receiver, timezone, docs_url))
        _say(found, "dashboards" if build_alerting is None else "files", as_json=as_json)
        return
    settings = load(config)
    wanted = apply.Wanted(
        influx=settings.influxdb,
        influx_url=influxdb_url or _influx_url(settings),
        timezone=settings.city.timezone,
        tokens=push.tokens(secrets),
        names={**apply.NAMES, **names},
        languages=languages,
        tiles=map_tiles,
        kinds=_kinds(settings),
        receiver=receiver,
        docs=docs_url,
        editable=editable,
        renew=renew_tokens,
    )
    report = push.Report(as_json=as_json, dry_run=dry_run)
    try:
        _push(settings, secrets, wanted, report, dry_run=dry_run, force=force)
    finally:
        report.end()


def _push(
    settings: Settings, secrets: Secrets, wanted: "Wanted", report: push.Report, *, dry_run: bool, force: bool
) -> None:
    """Plan and, unless it is a dry run, do; raises CommandError, also where something edited was left as it is."""
    from ingest.grafana.provision.apply import Provisioner  # noqa: PLC0415 - of an extra
    from ingest.grafana.provision.http import Administrator, ProvisionError  # noqa: PLC0415 - the same

    taken: list[Step] = []

    def on_step(step: "Step") -> None:
        taken.append(step)
        report.step(step)

    try:
        with Provisioner(settings.grafana, Administrator(*push.administrator(secrets)), wanted) as found:
            plan = found.plan
            report.plan(plan, force=force)
            steps = [step for step in plan.steps if force or not step.edited]
            if not dry_run and steps:
                audit_note.prepare(settings)
                try:
                    found.run(steps, on_step)
                finally:
                    push.noted(settings, taken)
    except ProvisionError as error:
        raise CommandError(str(error)) from error
    if plan.edited and not force:
        raise CommandError(f"{len(plan.edited)} edited by hand and left as they are; --force overwrites them")


def _examine(map_tiles: str | None, mail: str | None, webhook: Path | None) -> None:
    """Wrong usage is told before anything is read."""
    if map_tiles is not None and not _usable(map_tiles):
        raise typer.BadParameter(
            f"{map_tiles!r}: expected an address with {{z}}, {{x}} and {{y}}", param_hint="--map-tiles"
        )
    if mail is not None and webhook is not None:
        raise typer.BadParameter("give one of --alert-mail and --alert-webhook-file", param_hint="--alert-mail")
    if mail is not None and not all("@" in each for each in mail.split(";")):
        raise typer.BadParameter(f"{mail!r}: expected mail addresses, separated by ;", param_hint="--alert-mail")


def _names(given: Sequence[str]) -> Mapping[Privacy, str]:
    """The names of organisations by class."""
    found: dict[Privacy, str] = {}
    for each in given:
        word, _, name = each.partition("=")
        privacy = Privacy.__members__.get(word.upper())
        if privacy is None or not name.strip():
            raise typer.BadParameter(
                f"{each!r}: expected open, internal or personal, = and a name", param_hint="--organisation"
            )
        found[privacy] = name.strip()
    return found


def _receiver(mail: str | None, webhook: Path | None) -> "Receiver | None":
    from ingest.grafana.alerts.build import Receiver  # noqa: PLC0415 - of an extra

    if mail is not None:
        return Receiver("email", mail)
    return None if webhook is None else Receiver("webhook", push.secret("--alert-webhook-file", webhook))


def _kinds(settings: Settings) -> frozenset[str] | None:
    """The kinds of assets in the city; None without one."""
    if settings.city.file is None:
        return None
    from ingest.app import read_city  # noqa: PLC0415 - slow to import, where it is needed only

    return frozenset(asset.kind for asset in read_city(settings).assets.values())


def _influx_url(settings: Settings) -> str:
    if settings.influxdb.url is None:
        raise CommandError("influxdb.url is not set: say by --influxdb-url how Grafana reaches the database")
    return settings.influxdb.url


def _usable(address: str) -> bool:
    """Of another host, or of Grafana's own."""
    return address.startswith(("https://", "http://", "/")) and all(place in address for place in PLACES)


def _files(
    build: Path | None,
    alerting: Path | None,
    languages: tuple[Language, ...],
    tiles: str | None,
    alerts: "tuple[Receiver | None, str, str]",
) -> tuple[list[str], list[str]]:
    """Write what is asked for; names of the files that were written, and of those that were right already."""
    from ingest.grafana.alerts.build import DOCS  # noqa: PLC0415 - of an extra
    from ingest.grafana.alerts.build import files as alert_files  # noqa: PLC0415 - the same
    from ingest.grafana.dashboards.build import files  # noqa: PLC0415 - the same
    from ingest.grafana.provision.apply import ALARMS  # noqa: PLC0415 - the same

    written: list[str] = []
    same: list[str] = []
    if build is not None:
        _write("--build", build, files(languages, tiles), (written, same))
    if alerting is not None:
        receiver, timezone, docs = alerts
        made = alert_files(languages[0], ALARMS[languages[0]].title, timezone, receiver, docs or DOCS)
        _write("--build-alerting", alerting, made.items(), (written, same))
    return written, same


def _say(found: tuple[list[str], list[str]], what: str, *, as_json: bool) -> None:
    written, same = found
    if as_json:
        typer.echo(json.dumps({"written": written, "unchanged": same}))
        return
    for name in written:
        typer.echo(f"written: {name}")
    typer.echo(f"{len(written)} {what} written, {len(same)} as they should be")


def _write(option: str, folder: Path, files: Iterable[tuple[Path, str]], told: tuple[list[str], list[str]]) -> None:
    """Write what differs, and tell the names of what was written and what was right already."""
    written, same = told
    for name, text in files:
        path = folder / name
        try:
            if path.is_file() and path.read_bytes() == text.encode():
                same.append(str(name))
                continue
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        except OSError as error:
            raise CommandError(f"{option} {path}: {error.strerror}") from error
        written.append(str(name))
