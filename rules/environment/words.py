"""What alerts say to people, in German and English.

No text names a legal figure: the sensors give orientation and prove nothing. The words for such figures stand nowhere
here.
"""

from typing import NamedTuple

from rules.event_environment import AlertKind


class Text(NamedTuple):
    """One sentence in both languages."""

    de: str
    en: str


class Words(NamedTuple):
    """The name of a kind, of its levels from 1 on (none where the rule names them), and what people can do."""

    title: Text
    levels: tuple[Text, ...]
    advice: Text


OWN = Text("Eigene Messung der Stadt, keine amtliche Warnung.", "The city's own measurement, no official warning.")
INDICATIVE = Text("Orientierende Messung mit einfachen Sensoren.", "Indicative measurement with simple sensors.")
INCOMPLETE = Text("Die Messung ist unvollständig.", "The measurement is incomplete.")
CONTRADICTING = Text("Geräte am selben Ort widersprechen sich.", "Devices at the same place contradict each other.")
CLEARED = Text("Hinweis beendet.", "Notice ended.")
NO_DATA = Text(
    "Hinweis beendet, weil aktuelle Messwerte fehlen; über die Lage vor Ort sagt das nichts.",
    "Notice ended because current readings are missing; this says nothing about the situation on site.",
)

CLASSES = (
    Text("sehr gut", "very good"),
    Text("gut", "good"),
    Text("mäßig", "moderate"),
    Text("schlecht", "poor"),
    Text("sehr schlecht", "very poor"),
)
"""Of the air quality index, from 1 on."""

WORDS: dict[AlertKind, Words] = {
    "air_quality": Words(
        Text("Luftqualität", "Air quality"),
        (),
        Text(
            "Empfindliche Menschen sollten Anstrengung im Freien meiden.",
            "Sensitive people should avoid effort outdoors.",
        ),
    ),
    "heat": Words(
        Text("Hitze", "Heat"),
        (Text("starke Wärmebelastung", "strong heat stress"), Text("extreme Wärmebelastung", "extreme heat stress")),
        Text("Viel trinken, Schatten suchen, nach anderen sehen.", "Drink, seek shade, look after others."),
    ),
    "heavy_rain": Words(
        Text("Starkregen", "Heavy rain"),
        (
            Text("kräftiger Regen", "strong rain"),
            Text("markant", "marked"),
            Text("Unwetter", "severe"),
            Text("extremes Unwetter", "extreme"),
        ),
        Text("Unterführungen und Keller meiden.", "Stay away from underpasses and cellars."),
    ),
    "gust": Words(
        Text("Wind", "Wind"),
        (
            Text("Windböen", "gusts"),
            Text("Sturmböen", "gale-force gusts"),
            Text("orkanartige Böen", "violent gusts"),
            Text("extreme Orkanböen", "extreme hurricane-force gusts"),
        ),
        Text("Abstand zu Bäumen und Gerüsten halten.", "Keep away from trees and scaffolding."),
    ),
    "gauge": Words(
        Text("Wasserstand", "Water level"),
        (
            Text("Informationswert 1 erreicht", "information value 1 reached"),
            Text("Informationswert 2 erreicht", "information value 2 reached"),
            Text("Informationswert 3 erreicht", "information value 3 reached"),
        ),
        Text(
            "Amtliche Auskunft gibt der Hochwasserdienst des Landes.",
            "The state's flood service gives official information.",
        ),
    ),
    "ice": Words(
        Text("Straßenglätte", "Slippery road"),
        (
            Text("Kontrolle empfohlen", "inspection recommended"),
            Text("Glätte möglich", "ice possible"),
            Text("Glätte wahrscheinlich", "ice likely"),
            Text("Glatteis durch Regen", "black ice by rain"),
        ),
        Text("Vorsichtig fahren und gehen.", "Drive and walk with care."),
    ),
    "noise": Words(
        Text("Geräuschpegel", "Sound level"),
        (Text("über dem Vergleichswert", "above the reference value"), Text("weit darüber", "far above it")),
        Text("Der Wert dient der Orientierung.", "The figure is for orientation."),
    ),
    "tree_watering": Words(
        Text("Baumbewässerung", "Tree watering"),
        (Text("Boden trocken", "dry soil"), Text("Bewässerung empfohlen", "watering recommended")),
        Text("", ""),
    ),
}
