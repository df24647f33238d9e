"""Each page of the desk answers to each who may see it, and on both databases."""

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from tests.content.deciding import change
from tests.staff.people import sign_in
from triage.content import approval
from triage.content.audit import changing
from triage.content.models import Condition, Feature, Option, RedFlag, Topic
from triage.content.views.page import TABS


@pytest.fixture
def addresses(topic: Topic, author: User) -> list[str]:
    """All of the desk, while a change waits to be decided on."""
    change(author)
    proposal = approval.submit(topic=topic, author=author, why="Plainer words.")
    with changing(who=author, why="A later one."):
        Feature.objects.filter(key="fever").update(purpose="Something else.")
    lipoma = Condition.objects.get(key="lipoma")
    return [
        reverse("admin:index"),
        *(reverse(name, args=[topic.key]) for name in TABS),
        reverse("content:proposal", args=[topic.key, proposal.pk]),
        reverse("content:grid", args=[topic.key, "lump_feel"]),
        reverse("content:names", args=[topic.key]),
        reverse("content:roll_back", args=[topic.key, 1]),
        reverse("content:likelihoods_csv", args=[topic.key]),
        reverse("content:ledger_csv", args=[topic.key]),
        reverse("content:changes_csv", args=[topic.key]),
        reverse("content:topic_file", args=[topic.key]),
        reverse("admin:content_condition_change", args=[lipoma.pk]),
        reverse("admin:content_feature_change", args=[Feature.objects.get(key="fever").pk]),
        reverse("admin:content_option_change", args=[Option.objects.all()[0].pk]),
        reverse("admin:content_redflag_change", args=[RedFlag.objects.all()[0].pk]),
    ]


@pytest.fixture(
    params=[
        "demo-author",  # who sees most: what the others are shown hangs on no database
        pytest.param("demo-approver", marks=pytest.mark.sqlite),
        pytest.param("demo-auditor", marks=pytest.mark.sqlite),
    ]
)
def staff(request: pytest.FixtureRequest, topic: Topic) -> Client:
    return sign_in(Client(), User.objects.get(username=request.param))


def test_every_page_of_the_desk_answers(addresses: list[str], staff: Client) -> None:
    answers = {address: staff.get(address).status_code for address in addresses}

    # Who may not roll back, or take files away, is told so.
    assert set(answers.values()) <= {200, 302, 403}
    may_not = {address for address, status in answers.items() if status == 403}
    assert {address.rpartition("/")[2] for address in may_not} <= {"roll-back"}
