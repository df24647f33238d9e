"""The names and numbers of this place, in the language in which somebody reads."""

import re
from collections.abc import Mapping

from django.conf import settings
from django.utils.translation import get_language

PLACEHOLDER = re.compile(r"\{(\w*)\}")


def language_here() -> str:
    """Return the language of the page that is being made, without its country: “es”."""
    return (get_language() or settings.LANGUAGE_CODE).partition("-")[0]


def british(language: str = "en") -> Mapping[str, str]:
    """Return the British names: what drafts are judged with, wherever they are written."""
    number: str = settings.EMERGENCY_NUMBERS["gb"]
    return {"emergency_number": number, **settings.SERVICES[f"{language}-gb"]}


def place_in(language: str) -> Mapping[str, str]:
    names: Mapping[str, str] = settings.PLACEHOLDERS[language]
    return names


def filled(text: str, language: str) -> str:
    """Return the text with this place's names and numbers in the place of `{placeholders}`."""
    names = place_in(language)
    return PLACEHOLDER.sub(lambda match: names[match[1]], text)
