"""The clinician's note as the desk prints it."""

import re

import pytest
from django.template.loader import render_to_string
from django.utils import timezone
from playwright.sync_api import Page
from pytest_django.fixtures import Settings
from pytest_django.live_server_helper import LiveServer

from tests.desk.people import at_the_desk, member
from tests.handover.summaries import assessment_of, cases, interviewed_as
from triage.content.models import Release
from triage.handover import services
from triage.handover.summary import summary_of_assessment
from triage.questionnaire.models import Assessment

WITHDRAWN = ["rf_sepsis", "rf_cord_legs"]


def longest(count: int) -> list[Assessment]:
    """Return those in the cases of whom there is most to say; what is not known, they do not know."""
    people = [
        assessment_of(interviewed_as(evidence), withdrawn=WITHDRAWN, language="es")
        for evidence in cases().values()
    ]

    def length(person: Assessment) -> int:
        summary = summary_of_assessment(person)
        return len(render_to_string("handover/note.html", {"summary": summary}))

    return sorted(people, key=length)[-count:]


@pytest.mark.parametrize("language", ["en-gb", "es"])
def test_the_longest_notes_fit_one_sheet_of_a4(
    page: Page, live_server: LiveServer, release: Release, settings: Settings, language: str
) -> None:
    settings.LANGUAGE_CODE = language
    desk = at_the_desk(member(f"prints-in-{language}", "Clinician", called="Ann Other"))

    for number, person in enumerate(longest(2)):
        person.release_id, person.token_hash = release.pk, f"{number:064}"
        person.concluded, person.urgency = True, 0  # what the note says is worked out anew
        person.save()
        codes = services.hand_over(assessment=person, visit=None, now=timezone.now())
        address = desk.post("/staff/desk/pick-up", {"code": codes.code}).headers["Location"]
        page.context.add_cookies(
            [
                {"name": cookie.key, "value": cookie.value, "url": live_server.url}
                for cookie in desk.cookies.values()
            ]
        )
        page.goto(live_server.url + address)
        page.locator("article.note").wait_for()
        paper = page.pdf(format="A4", prefer_css_page_size=True)

        assert len(re.findall(rb"/Type\s*/Page\b", paper)) == 1
