"""The page of a topic's faults: what stands in the way first, each with a way to its field."""

import re
from urllib.parse import urldefrag

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from tests.staff.people import sign_in
from triage.content.models import Likelihood, RedFlag, Topic


@pytest.fixture
def nurse(author: User) -> Client:
    return sign_in(Client(), author)


def shown(client: Client, name: str, topic: Topic) -> str:
    response = client.get(reverse(f"content:{name}", args=[topic.key]))
    assert response.status_code == 200
    return response.content.decode()


def words(page: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", page).split())


def test_a_stranger_sees_no_faults(client: Client, topic: Topic) -> None:
    for name in ("faults", "fault_counts"):
        assert client.get(reverse(f"content:{name}", args=[topic.key])).status_code == 302


def test_a_sound_topic_says_that_nothing_stands_in_the_way_and_what_was_checked(
    nurse: Client, topic: Topic
) -> None:
    said = words(shown(nurse, "faults", topic))

    assert "What stands in the way of publishing Nothing." in said
    assert "Check again" in said
    assert "no alarm ever switches one off" in said
    assert "Nothing stands in the way of publishing" in words(shown(nurse, "fault_counts", topic))


def test_what_blocks_comes_before_what_is_only_noticed_and_leads_to_its_field(
    nurse: Client, topic: Topic
) -> None:
    RedFlag.objects.filter(key="rf_skin_cancer").update(rule="'collapse' in right_now")
    Likelihood.objects.filter(
        condition__key="lipoma", option__feature__key="lump_feel", option__key="soft"
    ).update(probability=0.5)
    flag = RedFlag.objects.get(key="rf_fever")
    RedFlag.objects.filter(key="rf_fever").update(message="Call {doctor}.")

    page = shown(nurse, "faults", topic)

    said = words(page)
    assert "What stands in the way of publishing: 2" in said
    assert "Likelihoods (1)" in said
    assert "What rules and conditions can never do is looked at once" in said
    link = f'href="{reverse("admin:content_redflag_change", args=[flag.pk])}#id_message"'
    assert page.index(link) < page.index("What else to look at")
    assert "2 faults stand in the way of publishing" in words(shown(nurse, "fault_counts", topic))


def test_a_number_that_moved_far_and_is_not_explained_stands_in_the_way(
    nurse: Client, topic: Topic
) -> None:
    of_lipoma = Likelihood.objects.filter(
        condition__key="lipoma", option__feature__key="lump_feel"
    ).order_by("-probability")
    first, second = of_lipoma[:2]
    moved = first.probability - 0.1
    of_lipoma.filter(pk=first.pk).update(probability=0.1)
    of_lipoma.filter(pk=second.pk).update(probability=second.probability + moved)

    page = shown(nurse, "faults", topic)

    assert "So large a step needs" in words(page)
    assert (
        f"{reverse('admin:content_condition_change', args=[first.condition_id])}#feature-lump_feel"
        in page
    )
    assert "2 faults stand in the way" in words(shown(nurse, "fault_counts", topic))


def test_a_notice_is_shown_apart(nurse: Client, topic: Topic) -> None:
    RedFlag.objects.filter(key="rf_skin_cancer").update(rule="'collapse' in right_now")

    page = shown(nurse, "faults", topic)

    assert page.index("What else to look at") < page.index("“rf_chest_collapse” fires as well")
    assert "1 fault" not in words(shown(nurse, "fault_counts", topic))


def test_a_topic_that_is_just_begun_is_told_what_to_do_first(nurse: Client, topic: Topic) -> None:
    first = Topic.objects.get(pk=topic.pk)
    first.pk, first.key = None, "knee"
    first.save()

    page = shown(nurse, "faults", first)

    assert "This topic is only begun" in page
    links = re.findall(r'<li><a href="([^"]+)"', page.partition("What stands")[2])
    assert links
    for link in dict.fromkeys(urldefrag(link.replace("&amp;", "&"))[0] for link in links):
        assert nurse.get(link).status_code == 200, link


def test_the_forms_of_topic_and_syndrome_lead_to_the_fields_too(
    nurse: Client, topic: Topic
) -> None:
    RedFlag.objects.filter(key="rf_fever").update(message="Call {doctor}.")
    flag = RedFlag.objects.get(key="rf_fever")

    page = nurse.get(reverse("admin:content_topic_change", args=[topic.pk])).content.decode()

    assert f"{reverse('admin:content_redflag_change', args=[flag.pk])}#id_message" in page
