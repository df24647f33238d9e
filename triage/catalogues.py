"""Catalogues of the interface's messages: found in the sources, merged, checked and compiled.

Django's own commands do this with GNU gettext, which most machines lack; Babel needs nothing but
Python. Messages are found in templates as Django itself parses them, so that a message is exactly
what it looks up when it shows the page.
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

from babel.messages import Catalog, Message
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_file
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from django.conf import settings
from django.template.base import Node, Token
from django.template.context import Context
from django.template.loader import get_template
from django.templatetags.i18n import BlockTranslateNode, TranslateNode
from django.utils.text import get_text_list
from django.utils.translation import trim_whitespace

DOMAIN = "django"
KEYWORDS = DEFAULT_KEYWORDS | {
    "gettext_lazy": None,
    "gettext_noop": None,
    "ngettext_lazy": (1, 2),
    "pgettext_lazy": ((1, "c"), 2),
}
STAFF = ("admin", "migrations", "management")
"""Folders of pages and commands that only staff see; these stay English."""

NEVER = datetime(2026, 1, 1, tzinfo=UTC)
"""Times in a catalogue would make each run a change."""

TAG = re.compile(r"</?[a-z][^>]*>")
IN_AN_ARGUMENT = re.compile(r'\b_\("([^"]+)"\)')
BRACES = re.compile(r"\{[a-z_]+\}")


def folder() -> Path:
    return Path(settings.LOCALE_PATHS[0])


def po_files() -> list[Path]:
    return sorted(folder().glob(f"*/LC_MESSAGES/{DOMAIN}.po"))


def language_of(file: Path) -> str:
    return file.parent.parent.name


def catalogue_of(file: Path) -> Catalog:
    with file.open("rb") as stream:
        return read_po(stream, locale=language_of(file))


def messages() -> Catalog:
    """Return all that the interface says to patients, each with the files that say it."""
    found = Catalog(creation_date=NEVER)
    for file in sorted((settings.BASE_DIR / "templates").rglob("*.*ml")):
        name = file.relative_to(settings.BASE_DIR / "templates")
        if name.parts[0] not in STAFF:
            for context, ids in _in_template(str(name)):
                found.add(ids, context=context, locations=[(f"templates/{name.as_posix()}", 0)])
    for file in sorted((settings.BASE_DIR / "triage").rglob("*.py")):
        name = file.relative_to(settings.BASE_DIR)
        if not set(name.parts) & set(STAFF):
            for _, texts, _, context in extract_from_file("python", file, keywords=KEYWORDS):
                found.add(texts, context=context, locations=[(name.as_posix(), 0)])
    return found


def _in_template(name: str) -> Iterator[tuple[str | None, str | tuple[str, str]]]:
    """Yield the context, and the message or its singular and plural."""
    template = get_template(name).template  # type: ignore[attr-defined] # DjangoTemplates has it
    for node in template.nodelist.get_nodes_by_type(Node):
        if isinstance(node, TranslateNode):
            yield _context(node), str(node.filter_expression.var.literal).replace("%", "%%")
        elif isinstance(node, BlockTranslateNode):
            one, several = _said(node, node.singular), _said(node, node.plural)
            yield _context(node), (one, several) if several else one
    for text in IN_AN_ARGUMENT.findall(template.source):
        yield None, text


def _context(node: TranslateNode | BlockTranslateNode) -> str | None:
    return node.message_context.resolve(Context()) if node.message_context else None


def _said(node: BlockTranslateNode, tokens: list[Token]) -> str:
    text, _ = node.render_token_list(tokens)
    return trim_whitespace(text) if node.trimmed else text


def merged(catalogue: Catalog, template: Catalog) -> Catalog:
    """Bring a catalogue up to date: new messages without a translation, others kept, old ones gone."""
    catalogue.update(template, no_fuzzy_matching=True)
    catalogue.obsolete.clear()
    catalogue.revision_date = NEVER
    return catalogue


def written(catalogue: Catalog) -> bytes:
    stream = BytesIO()
    write_po(stream, catalogue, width=100, include_lineno=False, sort_by_file=True)
    return stream.getvalue()


def compiled(file: Path) -> None:
    """Write the form that gettext reads beside the one that people read."""
    stream = BytesIO()
    write_mo(stream, catalogue_of(file))
    half_done = file.with_suffix(".mo.new")
    half_done.write_bytes(stream.getvalue())
    half_done.replace(file.with_suffix(".mo"))  # at once, whoever reads it meanwhile


def faults_in(catalogue: Catalog, template: Catalog) -> Iterator[str]:
    """Yield what is wrong with a translation of the messages that the sources have now."""
    for wanted in template:
        if wanted.id and catalogue.get(wanted.id, wanted.context) is None:
            yield f"{_name(wanted)} is not in the catalogue. Run manage.py catalogues."
    for message in catalogue:
        if message.id:
            if template.get(message.id, message.context) is None:
                yield f"{_name(message)} is said nowhere any more. Run manage.py catalogues."
            for fault in _faults_of(message, catalogue):
                yield f"{_name(message)} {fault}"


def _faults_of(message: Message, catalogue: Catalog) -> Iterator[str]:
    said, ids = _texts(message.string), _texts(message.id)
    if not all(said):
        yield "is not translated."
        return
    if message.fuzzy:
        yield "is marked as a guess (fuzzy)."
    for error in message.check(catalogue):
        yield f"does not fit its original: {error}."
    for text in said:
        for pattern in (TAG, BRACES):
            original = sorted(pattern.findall(ids[-1]))
            if sorted(pattern.findall(text)) != original:
                marks = get_text_list(original, "and") or "no mark"
                yield f"must hold {marks}, as it does in English."


def _texts(texts: str | tuple[str, ...] | list[str] | None) -> list[str]:
    return [texts] if isinstance(texts, str) else list(texts or [""])


def _name(message: Message) -> str:
    return f"“{_texts(message.id)[0]}”"
