"""A topic made from nothing in the admin, published by two people, and met by a patient.

On a site of its own, as what was published can never be taken away: the other tests have one topic.
"""

import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from urllib.request import urlopen

import pytest
from django.conf import settings
from playwright.sync_api import Browser, Page, expect

from .test_access import faults_of
from .visitor import Watch

PEOPLE = """
from django.contrib.auth.models import Group, User
from django.test import Client
from tests.staff.people import sign_in, staff_member
from triage.staff.roles import set_up_groups
set_up_groups()
for name, roles in (("nurse", ["Author"]), ("physician", ["Approver", "Publisher"])):
    person = staff_member(name)
    person.groups.set(Group.objects.filter(name__in=roles))
    print("session", name, sign_in(Client(), person).session.session_key)
"""
ADDED = "Added with a first topic."
QUESTIONS = {
    "breathing": (
        "Breathing",
        "danger signs",
        "safety",
        "Is it hard for {} to breathe or to swallow {} own spit?",
        "A throat that closes needs help at once.",
    ),
    "fever": (
        "Fever",
        "how you feel",
        "core",
        "Does {} body feel hot to {}?",
        "A fever can mean a germ that needs a medicine.",
    ),
    "one_side": (
        "One side",
        "the throat",
        "core",
        "Is the pain of {} much worse on one side of {} throat?",
        "Pain on one side can mean a deep swelling.",
    ),
}
CONDITIONS = {
    "cold": ("A cold", "A cold makes the throat sore.", "70", "self_care", (0.01, 0.2, 0.1)),
    "tonsillitis": (
        "Swollen tonsils",
        "Germs have made the lumps at the back of your throat swell.",
        "25",
        "routine",
        (0.03, 0.7, 0.2),
    ),
    "quinsy": (
        "A swelling beside a tonsil",
        "A deep swelling full of germs sits beside the throat.",
        "5",
        "same_day",
        (0.3, 0.8, 0.9),
    ),
}
URGENCIES = {
    "emergency_now": "Call {emergency_number} now.",
    "same_day": "Call {gp_surgery} or {urgent_advice_line} today.",
    "few_days": "Ask {gp_surgery} to see you in the next few days.",
    "urgent_2_weeks": "Ask {gp_surgery} to see you within 2 weeks.",
    "routine": "Ask {gp_surgery} for a visit.",
    "self_care": "Rest at home. A {pharmacist} can help.",
}


class Site:
    """A server with an empty database, and the two people who work there."""

    def __init__(self, folder: Path) -> None:
        self.environment = {
            **os.environ,
            "DATABASE_URL": f"sqlite:///{folder / 'site.sqlite3'}",
            "DJANGO_SETTINGS_MODULE": "tests.settings",
            "DEBUG_HTTP": "1",
            "SECRET_KEY": "only-for-this-test-fifty-characters-long-0123456789-abc",
        }
        self.manage("migrate", "--verbosity", "0")
        made = self.manage("shell", "--no-imports", "-c", PEOPLE)
        self.sessions = dict(re.findall(r"session (\w+) (\w+)", made))
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        self.url = f"http://localhost:{port}"
        command = [sys.executable, "-m", "gunicorn", "--bind", f"127.0.0.1:{port}"]
        self.server = subprocess.Popen(
            [*command, "--log-level", "error", "triage.wsgi"],
            cwd=settings.BASE_DIR,
            env=self.environment,
            stdout=subprocess.DEVNULL,
        )
        for _ in range(150):
            try:
                urlopen(f"{self.url}/healthz").close()
                return
            except OSError:
                time.sleep(0.2)
        raise TimeoutError("the site does not answer")

    def manage(self, *arguments: str) -> str:
        return subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=settings.BASE_DIR,
            env=self.environment,
            check=True,
            capture_output=True,
            text=True,
        ).stdout

    def stop(self) -> None:
        self.server.terminate()
        self.server.wait()


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    site = Site(tmp_path)
    yield site
    site.stop()


@pytest.fixture
def person(site: Site, browser: Browser) -> Iterator[Callable[[str], Page]]:
    """Open a browser of somebody who is signed in, or of a patient."""
    watches = []

    def opened(name: str) -> Page:
        context = browser.new_context(base_url=site.url, viewport={"width": 1024, "height": 768})
        watches.append(Watch(context, site.url))
        if name in site.sessions:
            cookie = settings.SESSION_COOKIE_NAME
            session = site.sessions[name]
            context.add_cookies([{"name": cookie, "value": session, "url": site.url}])
        return context.new_page()

    yield opened
    assert [noted for watch in watches for noted in watch.noted] == []


def fill(page: Page, fields: Mapping[str, str | bool]) -> None:
    """Fill in a form by the names of its fields, whatever each of them is."""
    for name, value in fields.items():
        field = page.locator(f'[name="{name}"]:not([type="hidden"])').first
        kind = field.evaluate("field => field.type")
        if kind == "select-one":
            field.select_option(value=str(value))
        elif kind == "checkbox":
            field.set_checked(bool(value))
        else:
            field.fill(str(value))


def add(page: Page, model: str, fields: Mapping[str, str | bool]) -> None:
    page.goto(f"/staff/content/{model}/add/")
    choose_topic(page)
    fill(page, {**fields, "why": ADDED})
    save(page)


def choose_topic(page: Page) -> None:
    field = page.locator("select[name=topic]")
    if field.count():
        field.select_option(label="Sore throat")


def save(page: Page) -> None:
    page.get_by_role("button", name="Save", exact=True).first.click()
    expect(page.locator(".messagelist .success, .messagelist .info").first).to_be_visible()


def test_a_topic_from_nothing_to_a_patient(site: Site, person: Callable[[str], Page]) -> None:
    nurse = person("nurse")
    nurse.goto("/staff/")
    expect(nurse.get_by_text("There is no topic yet.")).to_be_visible()
    assert faults_of(nurse) == []
    write_the_topic(nurse)
    nurse.goto("/staff/topics/sore-throat/")
    assert faults_of(nurse) == []
    nurse.goto("/staff/topics/sore-throat/faults")
    expect(nurse.get_by_text("Nothing.")).to_be_visible()
    nurse.goto("/staff/topics/sore-throat/proposals")
    nurse.locator("[name=why]").fill("People with a sore throat can be helped.")
    nurse.get_by_role("button", name="Submit for approval").click()
    expect(nurse.locator("h1")).to_contain_text("Waiting to be approved")
    change = nurse.url

    physician = person("physician")
    physician.goto(change)
    expect(physician.get_by_text("People with a sore throat can be helped.").first).to_be_visible()
    assert faults_of(physician) == []
    approve = physician.get_by_role("button", name="Approve", exact=True)
    expect(approve).to_be_visible(timeout=120_000)
    approve.click()
    physician.get_by_role("button", name="Publish", exact=True).click()
    expect(physician.locator("h1")).to_contain_text("Published")

    patient = person("patient")
    patient.goto("/")
    expect(patient.locator("h1")).to_have_text("Sore throat")
    assert faults_of(patient) == []
    patient.get_by_role("button", name="Start now").click()
    for _ in QUESTIONS:
        heading = patient.locator("h1").inner_text()
        patient.get_by_label("No", exact=True).check()
        patient.get_by_role("button", name="Continue").click()
        expect(patient.locator("h1")).not_to_have_text(heading)
        if "answers" in patient.url:
            break
    patient.get_by_role("button", name="See advice").click()
    expect(patient.locator("h1")).to_have_text("Routine")
    expect(patient.get_by_text("Ask your GP surgery for a visit.")).to_be_visible()
    expect(patient.get_by_text("Swollen tonsils").first).to_be_visible()
    assert faults_of(patient) == []


def write_the_topic(nurse: Page) -> None:
    numbers = {"usual_questions_low": "2", "usual_questions_high": "3", "temper": "1"}
    stops = {"slip": "0.02", "gain_stop": "0.05", "lead_stop": "0.85"}
    spreads = {"spread_estimate": "0.22", "spread_guideline": "0.18", "spread_study": "0.14"}
    texts = {
        "key": "sore-throat",
        "title": "Sore throat",
        "covers": "For people with a sore throat. Most get better on their own in a week.",
        "document_paragraph": "added",
    }
    add(nurse, "topic", texts | numbers | stops | spreads)
    source = {
        "key": "throat_guide",
        "citation": "A guide to sore throats. Example publisher, 2026.",
        "locator": "https://www.example.org/throat",
        "year": "2026",
        "how_checked": "C: made up for this test",
        "used_for_content": "yes",
    }
    add(nurse, "source", source)
    for order, key in enumerate(QUESTIONS, start=1):
        write_a_question(nurse, order, key)
    for key in CONDITIONS:
        write_a_condition(nurse, key)
    flag: dict[str, str | bool] = {
        "key": "rf_airway",
        "kind": "red_flag",
        "urgency": "emergency_now",
        "rule": "breathing == 'yes'",
        "plain_rule": "It is hard to breathe or to swallow spit.",
        "title": "Hard to breathe",
        "message": "Call {emergency_number} now.",
        "why_clinician": "A threatened airway.",
        "document_paragraph": "added",
        "sources": True,
    }
    add(nurse, "redflag", flag)
    for urgency, what in URGENCIES.items():
        write_advice(nurse, "urgency", urgency, urgency.replace("_", " ").capitalize(), what)
    for key, (name, *_) in CONDITIONS.items():
        write_advice(nurse, "condition", key, name, "Ask {gp_surgery} to see you.")


def write_a_question(nurse: Page, order: int, key: str) -> None:
    name, section, tier, text, why = QUESTIONS[key]
    nurse.goto("/staff/content/feature/add/")
    choose_topic(nurse)
    for _ in range(3):
        nurse.locator(".add-row a").click()
    answers = (("yes", "Yes"), ("no", "No"), ("not_sure", "Not sure"))
    lines: dict[str, str | bool] = {}
    for place, (option, answer) in enumerate(answers):
        line = f"options-{place}"
        lines |= {
            f"{line}-order": str(place + 1),
            f"{line}-key": option,
            f"{line}-text": answer,
            f"{line}-exclusive": option == "not_sure",
            f"{line}-scored": option != "not_sure",
            f"{line}-alarm": option == "yes" and key != "one_side",
            f"{line}-document_paragraph": "added",
        }
    fields = {
        "key": key,
        "order": str(order),
        "name": name,
        "section": section,
        "tier": tier,
        "kind": "single",
        "text": text.format("you", "your"),
        "text_helper": text.format("them", "their"),
        "text_other": text.format("the person", "the other one's"),
        "why_we_ask": why,
        "observe": "none",
        "needs_mirror": "no",
        "kiosk_can_answer": "yes",
        "purpose": "It tells the causes apart.",
        "document_paragraph": "added",
        "why": ADDED,
    }
    fill(nurse, fields | lines)
    save(nurse)


def write_a_condition(nurse: Page, key: str) -> None:
    name, summary, prior, urgency, chances = CONDITIONS[key]
    fields: dict[str, str | bool] = {
        "key": key,
        "kind": "ranked",
        "name": name,
        "plain_name": name,
        "plain_summary": summary,
        "how_found": "A nurse or doctor looks at your throat.",
        "how_treated": "Rest, drinks and pain tablets help.",
        "prior_percent": prior,
        "prior_basis": "estimate",
        "urgency": urgency,
        "raise_at_percent": "10",
        "target_time": urgency.replace("_", " "),
        "cannot_miss": key == "quinsy",
        "document_paragraph": "added",
        "sources": True,
    }
    add(nurse, "condition", fields)
    nurse.goto(f"/staff/content/condition/?q={key}")
    nurse.locator("#result_list a").filter(has_text=name).first.click()
    for feature, chance in zip(QUESTIONS, chances, strict=True):
        group = nurse.locator(f"#feature-{feature}")
        if not group.evaluate("group => group.closest('details')?.open ?? true"):
            group.evaluate("group => { group.closest('details').open = true }")
        cells = group.locator("input[name^=probability]")
        for place, value in enumerate((chance, 1 - chance)):
            cells.nth(place).fill(f"{value:g}")
            group.locator("select[name^=basis]").nth(place).select_option("estimate")
    fill(nurse, {"why": ADDED})
    save(nurse)


def write_advice(nurse: Page, scope: str, key: str, heading: str, what: str) -> None:
    fields = {
        "scope": scope,
        "key": key,
        "heading": heading,
        "what_to_do": what,
        "self_care": "Rest. Drink often.",
        "safety_net": "Call {emergency_number} if it gets hard to breathe.",
        "do_not": "Do not smoke.",
        "document_paragraph": "added",
    }
    add(nurse, "advice", fields)
