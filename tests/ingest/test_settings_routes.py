"""Settings of tours."""

import pytest

from ingest.settings import SettingsError, load
from ingest.settings_routes import RoutesSettings

URL = "http://127.0.0.1:5000"


def test_without_settings_nobody_is_asked() -> None:
    """No engine, no address; plans of the evening before are the service's affair."""
    found = RoutesSettings()
    assert (found.engine, found.url, found.automatic, found.freeze_min, found.cost_per_change) == (
        "none",
        None,
        True,
        1080,
        5_000_000,
    )


@pytest.mark.parametrize(
    ("routes", "message"),
    [
        ({"engine": "osrm"}, "routes: url is missing, expected the address of osrm"),
        ({"engine": "google"}, "routes.engine: Input should be 'none', 'osrm' or 'valhalla'"),
        ({"url": "127.0.0.1:5000"}, "routes.url: expected http://host or https://host"),
        ({"url": f"{URL}?key=1"}, "routes.url: expected http://host or https://host"),
        ({"url": "http://host:port"}, "routes.url: "),
        ({"profile": "../admin"}, "routes.profile: expected letters, digits"),
        ({"profile": ""}, "routes.profile: expected letters, digits"),
        ({"freeze_at": "24:00"}, "routes.freeze_at: expected a time of day like 18:00 (got '24:00')"),
        ({"freeze_at": "18:00\n"}, "routes.freeze_at: expected a time of day"),
        ({"seconds": 0}, "routes.seconds: "),
        ({"iterations": 0}, "routes.iterations: "),
        ({"refresh_befor_min": 3}, "unknown key 'refresh_befor_min'; did you mean 'refresh_before_min'?"),
    ],
)
def test_what_cannot_be_is_refused_by_name(routes: dict[str, object], message: str) -> None:
    """The error names the key and what was expected."""
    with pytest.raises(SettingsError) as caught:
        load(routes=routes)
    assert message in str(caught.value)


@pytest.mark.parametrize("section", ["routes", "grafana"])
@pytest.mark.parametrize("account", ["anna:geheim", "anna:ge/heim@geheim", ":geheim"])
def test_a_password_in_an_address_is_not_quoted(section: str, account: str) -> None:
    """It is refused, and the error does not repeat it."""
    with pytest.raises(SettingsError, match="expected no name and password") as caught:
        load(None, **{section: {"url": f"https://{account}@engine.example"}})
    assert "heim" not in str(caught.value)
