"""The interface's messages: found where they are said, translated all, and compiled without tools."""

import gettext
from pathlib import Path
from subprocess import run
from sys import executable

import pytest
from babel.messages import Catalog
from django.conf import settings

from triage import catalogues

SAID = Catalog(locale="es")
SAID.add(("%(n)s <b>question</b>", "%(n)s <b>questions</b>"), flags=["python-format"])
SAID.add("Call {number}")


def said(*texts: str) -> Catalog:
    """A Spanish catalogue with these translations of the messages above, in their order."""
    catalogue = Catalog(locale="es")
    catalogue.add(
        ("%(n)s <b>question</b>", "%(n)s <b>questions</b>"), texts[:2], flags=["python-format"]
    )
    catalogue.add("Call {number}", texts[2])
    return catalogue


GOOD = ("%(n)s <b>pregunta</b>", "%(n)s <b>preguntas</b>", "Llame al {number}")


def test_every_message_of_every_language_is_translated() -> None:
    template = catalogues.messages()

    for file in catalogues.po_files():
        assert not list(catalogues.faults_in(catalogues.catalogue_of(file), template)), file


def test_there_is_a_catalogue_for_each_interface_but_english() -> None:
    languages = {catalogues.language_of(file) for file in catalogues.po_files()}

    assert languages | {"en"} == set(settings.INTERFACES)


def test_messages_are_found_in_templates_and_in_python() -> None:
    messages = catalogues.messages()

    places = {place for message in messages for place, _ in message.locations}
    assert {"templates/base.html", "triage/questionnaire/sentences.py"} <= places
    assert not any("admin" in place for place in places)


def test_a_good_translation_has_no_faults() -> None:
    assert not list(catalogues.faults_in(said(*GOOD), SAID))


@pytest.mark.parametrize(
    ("texts", "fault"),
    [
        (("", "", GOOD[2]), "is not translated"),
        ((GOOD[0], "", GOOD[2]), "is not translated"),
        (("%(n)s pregunta", GOOD[1], GOOD[2]), "must hold"),
        (("%(n)d <b>pregunta</b>", "%(m)s <b>preguntas</b>", GOOD[2]), "does not fit"),
        ((*GOOD[:2], "Llame al 999"), "must hold {number}"),
    ],
)
def test_each_fault_of_a_translation_is_named(texts: tuple[str, ...], fault: str) -> None:
    faults = "\n".join(catalogues.faults_in(said(*texts), SAID))

    assert fault in faults


def test_what_is_new_and_what_is_gone_is_named() -> None:
    old, new = Catalog(locale="es"), Catalog(locale="es")
    old.add("Gone", "Se fue")
    new.add("New")

    assert list(catalogues.faults_in(old, new)) == [
        "“New” is not in the catalogue. Run manage.py catalogues.",
        "“Gone” is said nowhere any more. Run manage.py catalogues.",
    ]


def test_a_merge_keeps_translations_and_guesses_none() -> None:
    old, new = Catalog(locale="es"), Catalog(locale="es")
    old.add("Stays", "Queda")
    old.add("Call an ambulance now", "Llame a una ambulancia ahora")
    new.add("Stays")
    new.add("Call an ambulance never")

    merged = catalogues.merged(old, new)

    assert {message.id: message.string or "" for message in merged if message.id} == {
        "Stays": "Queda",
        "Call an ambulance never": "",
    }


def test_a_catalogue_is_written_the_same_twice() -> None:
    for file in catalogues.po_files():
        once = catalogues.written(catalogues.catalogue_of(file))

        assert once == file.read_bytes(), "run manage.py catalogues"


def test_compiling_needs_nothing_but_python(tmp_path: Path) -> None:
    file = tmp_path / "es" / "LC_MESSAGES" / "django.po"
    file.parent.mkdir(parents=True)
    file.write_bytes(catalogues.written(said(*GOOD)))

    catalogues.compiled(file)

    with file.with_suffix(".mo").open("rb") as stream:
        spanish = gettext.GNUTranslations(stream)
    assert spanish.gettext("Call {number}") == "Llame al {number}"
    assert spanish.ngettext("%(n)s <b>question</b>", "%(n)s <b>questions</b>", 3) == GOOD[1]


def test_the_command_checks_without_changing_anything() -> None:
    before = {file: file.read_bytes() for file in catalogues.po_files()}

    checked = run(
        [executable, "manage.py", "catalogues", "--check"],
        cwd=settings.BASE_DIR,
        env={"DEBUG_HTTP": "1", "PATH": ""},
        capture_output=True,
        text=True,
        check=False,
    )

    assert checked.returncode == 0, checked.stderr
    assert before == {file: file.read_bytes() for file in catalogues.po_files()}
