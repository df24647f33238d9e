"""The admin in a browser: under the strict policy, and with axe."""

import re
from base64 import b32decode
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django_otp.plugins.otp_totp.models import TOTPDevice
from playwright.sync_api import BrowserContext, Page, expect
from pytest_django.live_server_helper import LiveServer

from tests.staff.people import sign_in
from triage.content.models import (
    Condition,
    Feature,
    Likelihood,
    Option,
    RedFlag,
    RiskGroup,
    Source,
    Syndrome,
    Topic,
)
from triage.content.views.page import TABS
from triage.staff import signing_in

from .test_access import faults_of
from .visitor import Watch

PASSWORD = "a long enough password"


def address(model: type, page: str, *args: object) -> str:
    return reverse(f"admin:content_{model.__name__.lower()}_{page}", args=args)


@pytest.fixture
def stranger(new_context: Callable[..., BrowserContext], base_url: str) -> Iterator[Page]:
    """Nobody yet; at the end nothing was fetched from elsewhere or broke the policy."""
    context = new_context(viewport={"width": 1024, "height": 768})
    watch = Watch(context, base_url)

    yield context.new_page()

    assert watch.noted == []


@pytest.fixture
def chief(live_server: LiveServer) -> Iterator[User]:
    """A superuser; people outlive the tests that use a live server."""
    chief = User.objects.create_superuser("root", password=PASSWORD)
    yield chief
    chief.delete()


@pytest.fixture
def page(stranger: Page, chief: User, base_url: str) -> Page:
    """Somebody who has just signed in."""
    session = sign_in(Client(), chief).cookies[settings.SESSION_COOKIE_NAME].value
    stranger.context.add_cookies(
        [{"name": settings.SESSION_COOKIE_NAME, "value": session, "url": base_url}]
    )
    return stranger


def test_from_a_first_password_to_a_new_phone(stranger: Page, chief: User) -> None:
    page = stranger

    def is_at(title: str) -> None:
        expect(page.locator("h1")).to_have_text(title)
        assert faults_of(page) == []

    def type_into(label: str, text: str, button: str) -> None:
        page.get_by_role("textbox", name=label).fill(text)
        page.get_by_role("button", name=button).click()

    page.goto(reverse("staff:second_factor"))
    is_at("Sign in")
    page.get_by_label("User name").fill("root")
    type_into("Password", "a wrong password", "Go on")
    expect(page).to_have_title(re.compile("^Error: "))
    is_at("Sign in")
    type_into("Password", PASSWORD, "Go on")
    is_at("Set up your phone")
    letters = page.locator("code").inner_text().replace(" ", "")
    type_into("Code", "000000", "Use this phone")
    is_at("Set up your phone")
    phone = TOTPDevice(key=b32decode(letters).hex())
    type_into("Code", signing_in.next_code(phone), "Use this phone")
    is_at("Keep these recovery codes")
    recovery_codes = page.locator("code").all_inner_texts()
    page.get_by_role("link", name="Go on").click()
    is_at("Your phone and recovery codes")

    page.get_by_role("button", name="Log out").click()
    page.goto(reverse("admin:index"))
    page.get_by_label("User name").fill("root")
    type_into("Password", PASSWORD, "Go on")
    is_at("Enter the code of your phone")
    type_into("Code", recovery_codes[0], "Sign in")
    is_at("Drafts and releases")
    page.goto(reverse("staff:confirm"))
    is_at("Give your password once more")
    page.goto(reverse("admin:auth_user_change", args=[chief.pk]))
    is_at("Change user")
    expect(page.get_by_text("9 recovery codes left")).to_be_visible()
    page.get_by_role("link", name="Remove it").click()
    is_at("Remove a phone that is lost")
    page.goto(reverse("admin:password_change"))
    is_at("Password change")
    page.goto(reverse("admin:auth_user_add"))
    is_at("Add user")


def test_no_page_breaks_the_policy_or_axe(page: Page) -> None:
    lipoma = Condition.objects.get(key="lipoma")
    fever = Feature.objects.get(key="fever")
    row = f"?condition__id__exact={lipoma.pk}&option__feature__id__exact={fever.pk}"
    places = [
        reverse("admin:index"),
        address(Topic, "change", Topic.objects.get().pk),
        address(Condition, "change", lipoma.pk),
        address(Feature, "change", fever.pk),
        address(Option, "change", fever.options.all()[0].pk),
        address(Likelihood, "changelist") + row,
        address(Syndrome, "change", Syndrome.objects.get(key="hurts_to_move").pk),
        address(RedFlag, "change", RedFlag.objects.all()[0].pk),
        address(Source, "delete", Source.objects.filter(likelihoods__isnull=False)[0].pk),
        address(RiskGroup, "changelist"),
        reverse("content:copy_condition", args=[lipoma.topic.key, lipoma.key]),
        reverse("content:names", args=[lipoma.topic.key]),
        *(reverse(name, args=[lipoma.topic.key]) for name in TABS),
        reverse("content:map", args=[lipoma.topic.key]) + "?of=red_flags/rf_abscess",
        reverse("content:roll_back", args=[lipoma.topic.key, 1]),
        reverse("content:recall", args=[lipoma.topic.key, 1]),
        reverse("admin:content_review_add"),
        reverse("admin:content_savedcase_changelist"),
        reverse("admin:auth_user_changelist"),
        reverse("admin:handover_apikey_add"),
        reverse("desk:verdict"),
        reverse("desk:evidence"),
    ]

    faults = {}
    for place in places:
        page.goto(place)
        expect(page.get_by_text("no clinical sign-off")).to_be_visible()
        if found := faults_of(page) + too_wide(page):
            faults[place] = found

    assert faults == {}
    page.emulate_media(color_scheme="dark")
    for name in ("content:topic", "content:map"):
        page.goto(reverse(name, args=[lipoma.topic.key]))
        if found := faults_of(page):
            faults[f"{name}, dark"] = found
    assert faults == {}


def too_wide(page: Page) -> list[str]:
    """A page that scrolls sideways at 1024 px hides half of its form."""
    over = page.evaluate("document.documentElement.scrollWidth - innerWidth")
    return [f"{over} px too wide"] if over > 0 else []


@pytest.fixture
def soft(live_server: LiveServer) -> Iterator[Likelihood]:
    """P(soft | lipoma), which is put back at the end: the content outlives the tests."""
    there = Likelihood.objects.filter(condition__key="lipoma", option__key="soft")
    before = there.values("probability", "source", "note")[0]
    yield there.get()
    there.update(**before)


def test_a_number_is_changed_on_the_page_of_its_condition_and_in_the_table_of_its_question(
    page: Page, soft: Likelihood
) -> None:
    page.goto(address(Condition, "change", soft.condition_id))
    page.get_by_role("link", name="Its numbers, question by question").click()
    page.locator("summary", has_text="Feel of the lump").click()
    feel = page.get_by_role("region", name="Feel of the lump")
    number = feel.get_by_role("textbox", name="Number Soft and squidgy, like dough")
    number.fill("0.06")
    expect(feel.get_by_text("adds up to 0.513: 0.487 too little")).to_be_visible()
    page.get_by_label("Why, for the record").fill("Soft was too high.")
    assert faults_of(page) == []
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("alert")).to_contain_text("0.06 is 9.12 times smaller")
    expect(page).to_have_title(re.compile("^Error: "))
    assert faults_of(page) == []
    number.fill("0.6")
    feel.get_by_role("combobox", name="Source Soft and squidgy, like dough").fill("milton2021")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Soft and squidgy, like dough: 0.547 → 0.6")).to_be_visible()
    expect(page.get_by_text("live: 0.547")).to_be_visible()

    feel.get_by_role("link", name="All conditions").click()
    table = page.get_by_role("region", name="The numbers")
    table.get_by_role("textbox", name="Fatty lump Soft").fill("0.5")
    expect(table.get_by_text("adds up to 0.953: 0.047 too little")).to_be_visible()
    page.keyboard.press("ArrowDown")
    expect(table.get_by_role("textbox", name="Bruise lump after a knock Soft")).to_be_focused()
    page.get_by_label("Why, for the record").fill("A half is nearer.")
    assert faults_of(page) == []
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Soft and squidgy, like dough: 0.6 → 0.5")).to_be_visible()

    soft.refresh_from_db()
    assert (soft.probability, str(soft.source)) == (0.5, "milton2021")


def test_a_table_is_brought_in_and_looked_at_before_anything_is_changed(
    page: Page, tmp_path: Path
) -> None:
    table, files = tmp_path / "table.csv", reverse("content:exchange", args=["back-lump"])

    def bring_in(changed: bytes) -> None:
        page.goto(files)
        assert faults_of(page) == []
        table.write_bytes(changed)
        form = page.get_by_role("group", name="The table of likelihoods")
        form.get_by_label("File").set_input_files(table)
        form.get_by_role("button", name="Show what it would change").click()

    page.goto(files)
    with page.expect_download() as download:
        page.get_by_role("link", name="Download the likelihoods").click()
    taken = Path(download.value.path()).read_bytes()

    bring_in(taken.replace(b",0.46,", b",46%,", 1))
    expect(page.get_by_text("Row 2, column “Probability”: is “46%”.")).to_be_visible()
    assert faults_of(page) == []

    bring_in(taken.replace(b",0.46,", b",0.4,", 1))
    row = page.get_by_role("row", name="Benign bone tumour of the spine, Age: 16 to 29")
    expect(row).to_contain_text("0.46")
    expect(page.get_by_label("Why, for the record")).to_be_visible()
    assert faults_of(page) == []

    page.goto(reverse("content:import"))
    assert faults_of(page) == []


def test_a_rule_and_a_question_answer_back_while_they_are_written(page: Page) -> None:
    page.goto(address(RedFlag, "change", RedFlag.objects.get(key="rf_fever").pk))
    rule, said = page.get_by_label("Rule:", exact=True), page.locator("#rule-check")

    rule.fill("fever == 'yes' and 'pu")
    said.get_by_role("button", name="'pus' in skin_look").click()
    expect(rule).to_have_value("fever == 'yes' and 'pus' in skin_look")
    expect(said).to_contain_text("All of: Fever is “Yes”; Look of the skin has")
    expect(said).to_contain_text("The fewest answers that fire it")
    assert faults_of(page) == []

    rule.fill("fever == 'yes' and skin_lok == 'pus'")
    expect(said).to_contain_text("Did you mean skin_look?")
    rule.fill("fever == 'yes' and ")
    rule.press_sequentially("ag")
    expect(said.get_by_role("button").first).to_have_text("age >= ")
    assert faults_of(page) == []

    page.goto(address(Feature, "change", Feature.objects.get(key="fever").pk))
    page.get_by_label("Question:", exact=True).fill("Is considerable fluctuation demonstrable?")
    expect(page.locator("#reading")).to_contain_text("too hard")
    assert faults_of(page) == []
