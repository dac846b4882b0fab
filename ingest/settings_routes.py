"""Settings of tours: where distances come from, how long is searched, when the service plans by itself."""

import re
from typing import Literal, Self

from pydantic import Field, field_validator, model_validator

from ingest.settings_section import Section, http_url

TIME_OF_DAY = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]")
PROFILE = re.compile(r"[A-Za-z0-9_-]{1,100}")
MINUTES_AN_HOUR = 60


class RoutesSettings(Section):
    """Tours of waste collection: distances, search, and when the service plans by itself; see docs/routes.md."""

    engine: Literal["none", "osrm", "valhalla"] = Field(
        "none", description="routing engine that knows the streets; with none distances are straight lines × 1.3"
    )
    url: str | None = Field(default=None, description="the engine's address, for example http://127.0.0.1:5000")
    profile: str | None = Field(
        default=None,
        description="OSRM's profile or Valhalla's costing for vehicles that name none; without it `driving` or `truck`",
    )
    timeout_s: float = Field(20, gt=0, le=600, description="s until one answer of the engine is given up")
    total_s: float = Field(
        600, gt=0, le=3600, description="s until all answers are given up; then straight lines take their place"
    )
    seconds: float = Field(30, ge=0.1, le=3600, description="s of search for a plan at most")
    iterations: int | None = Field(
        default=20_000,
        ge=1,
        le=10_000_000,
        description="iterations of search at most, so that small days take no 30 s; the seconds hold beside them",
    )
    seed: int = Field(0, ge=0, le=2**32 - 1, description="same problem, seed and iterations: same plan")
    cost_per_change_eur: float = Field(
        5,
        ge=0,
        le=10_000,
        description="EUR that a stop weighs which a new plan takes from the vehicle that had it, or leaves out",
    )
    automatic: bool = Field(
        default=True, description="the service plans by itself; it does nothing without vehicles in the city's file"
    )
    freeze_at: str = Field("18:00", description="local time of the evening before at which a day is planned")
    refresh_before_min: int = Field(
        30, ge=0, le=600, description="min before the first shift at which the plan is brought up to date"
    )

    @field_validator("url")
    @classmethod
    def _usable_url(cls, url: str | None) -> str | None:
        return url if url is None else http_url(url, "put a proxy before the engine that adds them")

    @field_validator("profile")
    @classmethod
    def _usable_profile(cls, profile: str | None) -> str | None:
        if profile is not None and not PROFILE.fullmatch(profile):
            raise ValueError("expected letters, digits, `_` and `-`")
        return profile

    @field_validator("freeze_at")
    @classmethod
    def _usable_time(cls, text: str) -> str:
        if not TIME_OF_DAY.fullmatch(text):
            raise ValueError("expected a time of day like 18:00")
        return text

    @model_validator(mode="after")
    def _has_url(self) -> Self:
        if self.engine != "none" and self.url is None:
            raise ValueError(f"url is missing, expected the address of {self.engine}")
        return self

    @property
    def cost_per_change(self) -> int:
        """Millionths of a euro."""
        return round(self.cost_per_change_eur * 1_000_000)

    @property
    def freeze_min(self) -> int:
        """`freeze_at` as minutes after midnight."""
        hours, _, minutes = self.freeze_at.partition(":")
        return int(hours) * MINUTES_AN_HOUR + int(minutes)
