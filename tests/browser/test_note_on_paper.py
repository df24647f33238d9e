"""The clinician's note, printed."""

import re

import pytest
from django.conf import settings as here
from django.template.loader import render_to_string
from playwright.sync_api import Page
from pytest_django.fixtures import Settings

from tests.handover.summaries import assessment_of, cases, interviewed_as
from triage.handover.summary import summary_of_assessment

STYLE = here.BASE_DIR / "triage/handover/static/handover/note.css"


@pytest.mark.parametrize("language", ["en-gb", "es"])
def test_the_longest_notes_fit_one_sheet_of_a4(
    page: Page, language: str, settings: Settings
) -> None:
    settings.LANGUAGE_CODE = language
    notes = []
    for evidence in cases().values():
        assessment = assessment_of(
            interviewed_as(evidence), language="es", withdrawn=["rf_sepsis", "rf_cord_legs"]
        )
        summary = summary_of_assessment(assessment, ticket="472", place="Waiting room by the door")
        context = {"summary": summary, "reference": "AB12-CD34"}
        notes.append(render_to_string("handover/note.html", context))

    for note in sorted(notes, key=len)[-3:]:
        page.set_content(f"<style>{STYLE.read_text()}</style>{note}")
        paper = page.pdf(format="A4", prefer_css_page_size=True)
        assert len(re.findall(rb"/Type\s*/Page\b", paper)) == 1
