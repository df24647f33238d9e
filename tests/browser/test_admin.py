"""The admin in a browser: under the strict policy, and with axe."""

from collections.abc import Callable, Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped] # it has none
from django.contrib.auth.models import User
from django.urls import reverse
from playwright.sync_api import BrowserContext, Page, expect

from triage.content.models import (
    Condition,
    Feature,
    Likelihood,
    Option,
    RedFlag,
    Syndrome,
    Topic,
)

from .visitor import Watch

PASSWORD = "a long enough password"


def address(model: type, page: str, *args: object) -> str:
    return reverse(f"admin:content_{model.__name__.lower()}_{page}", args=args)


@pytest.fixture
def page(new_context: Callable[..., BrowserContext], base_url: str) -> Iterator[Page]:
    """Staff who have logged in; at the end nothing was fetched from elsewhere or broke the policy."""
    staff = User.objects.create_superuser("root", password=PASSWORD)
    context = new_context()
    watch = Watch(context, base_url)
    page = context.new_page()
    page.goto(reverse("admin:index"))
    expect(page.locator("h1")).to_have_text("Log in")
    assert faults_by_axe(page) == []
    page.get_by_label("Username").fill("root")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    expect(page.locator("h1")).to_have_text("Drafts and releases")

    yield page

    staff.delete()  # people outlive the tests that use a live server
    assert watch.noted == []


def faults_by_axe(page: Page) -> list[str]:
    found = Axe().run(page).response["violations"]
    return [f"{each['id']}: {node['html'][:200]}" for each in found for node in each["nodes"]]


def test_no_page_breaks_the_policy_or_axe(page: Page) -> None:
    lipoma = Condition.objects.get(key="lipoma")
    fever = Feature.objects.get(key="fever")
    row = f"?condition__id__exact={lipoma.pk}&option__feature__id__exact={fever.pk}"
    places = [
        reverse("admin:index"),
        address(Topic, "change", Topic.objects.get().pk),
        address(Condition, "changelist"),
        address(Condition, "change", lipoma.pk),
        address(Feature, "changelist"),
        address(Feature, "change", fever.pk),
        address(Option, "change", fever.options.all()[0].pk),
        address(Likelihood, "changelist") + row,
        address(Syndrome, "changelist"),
        address(Syndrome, "change", Syndrome.objects.get(key="hurts_to_move").pk),
        address(RedFlag, "change", RedFlag.objects.all()[0].pk),
    ]

    faults = {}
    for place in places:
        page.goto(place)
        expect(page.get_by_text("no clinical sign-off")).to_be_visible()
        if found := faults_by_axe(page):
            faults[place] = found

    assert faults == {}


def test_a_number_is_changed_in_its_row(page: Page) -> None:
    cell = Likelihood.objects.filter(condition__key="lipoma", option__feature__key="fever")[0]
    before = cell.probability
    page.goto(address(Likelihood, "changelist") + "?q=lipoma")

    page.get_by_label(f"Probability, {cell}").fill("0.123")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("1 likelihood was changed successfully")).to_be_visible()

    cell.refresh_from_db()
    assert cell.probability == 0.123
    # So does the content.
    Likelihood.objects.filter(pk=cell.pk).update(probability=before)
