"""The same page in another language: its address, and its name for those who read it."""

from dataclasses import dataclass

from django.conf import settings
from django.http import HttpRequest
from django.urls import get_script_prefix, reverse
from django.utils.translation import get_language, get_language_from_path, override

OWN_PAGES = ("/check/delete", "/check/deleted")
"""Pages of an assessment that stand at the same address until somebody leaves them."""


@dataclass(frozen=True, slots=True)
class Link:
    """`absolute` is the address as search engines want it, with the name of this host."""

    language: str
    name: str
    address: str
    absolute: str


def address_in(language: str, path: str) -> str:
    """Return the address of the same page in another language."""
    mount, bare = get_script_prefix().rstrip("/"), bare_path(path)
    return f"{mount}{bare}" if language == settings.LANGUAGE_CODE else f"{mount}/{language}{bare}"


def bare_path(path: str) -> str:
    """Return the path without the language that it may begin with."""
    spoken = get_language_from_path(path)
    return path.removeprefix(f"/{spoken}") if spoken else path


def links_of(request: HttpRequest, languages: tuple[str, ...]) -> list[Link]:
    """Return where this page stands in each other of these languages.

    Questions follow each other while the address of this link stays, so that it leads to where the
    assessment is by then.
    """
    return [
        _link(request, language, name)
        for language, name in settings.LANGUAGES
        if language.partition("-")[0] in languages and language != get_language()
    ]


def _link(request: HttpRequest, language: str, name: str) -> Link:
    address = _there(language, request.path_info)
    return Link(language, name, address, request.build_absolute_uri(address))


def _there(language: str, path: str) -> str:
    bare = bare_path(path)
    if bare.startswith("/check/") and bare not in OWN_PAGES:
        with override(language):
            return reverse("questionnaire:resume")
    return address_in(language, path)
