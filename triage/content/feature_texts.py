"""The texts of a question and its answers beside their translations, and as patients see them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from django.conf import settings

from .choices import TranslationStatus
from .models import Feature, Option, Translation
from .places import filled
from .translations import ENGLISH, TEXTS, place_of

READ = TEXTS["features"]
VOICES = {
    "text": "To the person",
    "text_helper": "To a helper",
    "text_other": "About somebody",
}


@dataclass(frozen=True, slots=True)
class Said:
    """One text in one language. `english` is what it has to say, `original` what it said once.

    It is aged where the two differ; a text that was never translated has neither text nor status.
    """

    place: str
    language: str
    english: str
    text: str
    status: str
    original: str

    @property
    def name(self) -> str:
        return f"{self.language}:{self.place}"

    @property
    def has_aged(self) -> bool:
        return bool(self.text) and self.original != self.english


@dataclass(frozen=True, slots=True)
class Seen:
    """A question as patients see it: to whom and in which language it is put."""

    voice: str
    language: str
    question: str
    help: str
    answers: tuple[str, ...]


class FeatureTexts:
    """Every text of one question and its answers. What is changed later it does not see."""

    def __init__(self, feature: Feature) -> None:
        self.feature = feature
        self.options = list(feature.options.all())
        row = {"key": feature.key}
        own = {place_of("features", row, name): getattr(feature, name) for name in READ}
        answers = {self._place_of(option): option.text for option in self.options}
        self.english = {place: text for place, text in (own | answers).items() if text}

    def _place_of(self, option: Option) -> str:
        row = {"feature": ("", self.feature.key), "key": option.key}
        return place_of("options", row, "text")

    @cached_property
    def languages(self) -> dict[str, str]:
        """The languages in which its topic speaks or is to speak here, but English, by code."""
        written = self.feature.topic.translations.order_by("language").values_list("language")
        codes = dict.fromkeys([*settings.PLACEHOLDERS, *(code for (code,) in written.distinct())])
        return {code: settings.INTERFACES.get(code, code) for code in codes if code != ENGLISH}

    @cached_property
    def said(self) -> dict[str, Said]:
        """Every text in every language, by its name."""
        rows = self.feature.topic.translations.filter(place__in=self.english)
        there = {(row.language, row.place): row for row in rows}
        found = [
            _said(there.get((language, place)), place, language, english)
            for place, english in self.english.items()
            for language in self.languages
        ]
        return {said.name: said for said in found}

    def say(self, said: Said, text: str, status: str) -> None:
        """Keep a translation as that of the English of now; without a text there is none."""
        rows = self.feature.topic.translations
        english = self.english.get(said.place)
        if not text or english is None:
            rows.filter(language=said.language, place=said.place).delete()
            return
        rows.update_or_create(
            language=said.language,
            place=said.place,
            defaults={"text": text, "status": status, "original": english},
        )

    def seen(self) -> Iterator[Seen]:
        """Yield the question in each language and to each person. What lacks is left empty."""
        for code, language in {ENGLISH: "English", **self.languages}.items():
            texts = self.english if code == ENGLISH else self._in(code)
            start = f"features/{self.feature.key}"
            answers = tuple(_shown(texts, self._place_of(option), code) for option in self.options)
            for name, voice in VOICES.items():
                yield Seen(
                    voice=voice,
                    language=language,
                    question=_shown(texts, f"{start}/{name}", code),
                    help=_shown(texts, f"{start}/help_text", code),
                    answers=answers,
                )

    def _in(self, language: str) -> dict[str, str]:
        return {each.place: each.text for each in self.said.values() if each.language == language}


def _said(row: Translation | None, place: str, language: str, english: str) -> Said:
    return Said(
        place=place,
        language=language,
        english=english,
        text=row.text if row else "",
        status=row.status if row else TranslationStatus.DRAFT,
        original=row.original if row else "",
    )


def _shown(texts: Mapping[str, str], place: str, language: str) -> str:
    """Return a text with the names of this place filled in, if it speaks the language."""
    text = texts.get(place, "")
    try:
        return filled(text, language)
    except KeyError:  # a placeholder that nothing fills in, or a language that is not spoken here
        return text
