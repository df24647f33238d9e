"""A roll-back and a publication change nothing for whoever is in the middle of an assessment."""

from django.contrib.auth.models import User

from triage.content import approval
from triage.content.models import Feature, Release
from triage.content.releases import publish
from triage.questionnaire.models import Assessment

from .conftest import Person

OLD, NEW = "Bladder, bowel and feeling between the legs", "Something new"


def test_each_finishes_on_the_release_they_began_with(underway: Person, release: Release) -> None:
    author = User.objects.get(username="demo-author")
    publisher = User.objects.get(username="demo-approver")
    underway.answer("none")

    Feature.objects.filter(key="bladder_saddle").update(name=NEW)
    publish(
        topic=release.topic, author=author, approver=publisher, why="A trial.", demonstration=True
    )
    second = Person()
    second.begin()
    second.answer("none")
    rolled_back = approval.roll_back(release=release, by=publisher, why="It misleads.")
    third = Person()
    third.begin()

    for person in (underway, second, third):
        person.answer_all()
    assert [OLD in person.page for person in (underway, second, third)] == [True, False, True]
    assert NEW in second.page
    assert list(Assessment.objects.order_by("pk").values_list("release__number", flat=True)) == [
        1,
        2,
        rolled_back.number,
    ]
