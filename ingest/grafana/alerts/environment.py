"""Alerts about air and water: what the rules of the environment say is in force."""

from ingest.grafana.alerts.query import level, nought, together
from ingest.grafana.alerts.spec import DAY, Alert, Question
from ingest.grafana.dashboards.spec import text

ENVIRONMENT: tuple[Alert, ...] = (
    Alert(
        name="air-quality",
        title=text("Schlechte Luft", "Poor air"),
        summary=text(
            "An einer Messstelle ist der Luftqualitätsindex schlecht oder sehr schlecht.",
            "At a station the air quality index is poor or very poor.",
        ),
        questions=(
            Question(
                together(level("environment.air_quality"), nought("air_quality_index", "asset"), by=("asset", "kind")),
                DAY,
                "open",
            ),
        ),
        above=0,
        kinds=("station",),
        dashboard="environment",
    ),
    Alert(
        name="heavy-rain",
        title=text("Starkregen", "Heavy rain"),
        summary=text(
            "An einer Messstelle regnet es so stark wie bei einem Unwetter (Stufe 3 oder 4 von 4).",
            "At a station it rains as in a severe storm (level 3 or 4 of 4).",
        ),
        questions=(
            Question(
                together(
                    level("environment.heavy_rain"), nought("precipitation", "environment"), by=("asset", "model")
                ),
                DAY,
                "open",
            ),
        ),
        above=2,
        lasts="0s",
        severity="critical",
        kinds=("station",),
        dashboard="environment",
    ),
    Alert(
        name="flood",
        title=text("Hochwasser", "Flood"),
        summary=text(
            "Ein Pegel hat mindestens den zweiten Informationswert überschritten.",
            "A gauge has risen above its second information value at least.",
        ),
        questions=(
            Question(
                together(level("environment.gauge"), nought("gauge_level_cm", "asset"), by=("asset", "kind")),
                DAY,
                "open",
            ),
        ),
        above=1,
        severity="critical",
        lasts="0s",
        kinds=("gauge",),
        dashboard="environment",
    ),
)
