"""The pages of approval and releases, as author, approver, publisher and auditor meet them."""

import re
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tests.content.deciding import Measured, change, member, proposed, quick_snapshot_of
from tests.staff.people import sign_in
from triage.content import approval
from triage.content.choices import ProposalState
from triage.content.models import Feature, Proposal, Release, Topic
from triage.content.releases import live_release, publish, recall
from triage.content.views import proposals as pages
from triage.staff.signing_in import CONFIRMED_AT

TOPIC = "/staff/topics/back-lump"
PROPOSALS, RELEASES = f"{TOPIC}/proposals", f"{TOPIC}/releases"


@pytest.fixture(autouse=True)
def measured(monkeypatch: pytest.MonkeyPatch) -> Measured:
    measured = Measured()
    monkeypatch.setattr(approval, "effect_of", measured.effect_of)
    monkeypatch.setattr(pages, "effect_of", measured.effect_of)
    return measured


@pytest.fixture
def no_faults(monkeypatch: pytest.MonkeyPatch) -> None:
    """Looking for them takes a second, and so does compiling all of the drafts."""
    monkeypatch.setattr(approval, "snapshot_of", quick_snapshot_of)
    monkeypatch.setattr(approval, "faults_in", lambda document: [])
    monkeypatch.setattr(pages, "faults_in", lambda document: [])


def of(client: Client, person: User) -> Client:
    return sign_in(client, person)


def text_of(answer: Any) -> str:
    """Return what a page says, without its markup."""
    return re.sub(r"\s+", " ", re.sub("<[^>]+>", "", answer.content.decode()))


def here(proposal: Proposal, act: str = "") -> str:
    return f"{PROPOSALS}/{proposal.pk}{act and '/'}{act}"


# Submitting


def test_unchanged_drafts_say_what_to_do_first(client: Client, author: User) -> None:
    shown = of(client, author).get(PROPOSALS)

    assert "The drafts are the same as Release 1" in text_of(shown)
    assert "Change something first" in text_of(shown)
    assert "Submit for approval" not in text_of(shown)


def test_changed_drafts_say_what_changed_and_by_whom_and_are_submitted_here(
    client: Client, topic: Topic, author: User
) -> None:
    change(author)
    change(None, "A lump made of fat.")
    staff = of(client, author)

    shown = staff.get(PROPOSALS)
    answer = staff.post(PROPOSALS, {"why": "Plainer words."}, follow=True)

    assert "1 difference from Release 1" in text_of(shown)
    assert "demo-author (1 row)" in text_of(shown)
    assert "Somebody who did not sign in (a command, or SQL) (1 row)" in text_of(shown)
    assert "<ins>made </ins>" in shown.content.decode()
    assert "Submitted. Somebody else has to approve it now." in text_of(answer)
    assert "“Plainer words.”" in text_of(answer)
    assert topic.proposals.filter(state=ProposalState.SUBMITTED).count() == 1


def test_a_double_click_submits_once_and_says_so(
    client: Client, topic: Topic, author: User, no_faults: None
) -> None:
    change(author)
    staff = of(client, author)
    staff.post(PROPOSALS, {"why": "Plainer words."})

    answer = staff.post(PROPOSALS, {"why": "Plainer words."})

    assert answer.status_code == 409
    assert "is still open: decide on it first" in text_of(answer)
    assert topic.proposals.filter(state=ProposalState.SUBMITTED).count() == 1


def test_faults_are_counted_where_they_stop_a_submission(client: Client, author: User) -> None:
    Feature.objects.filter(key="fever").update(text="")
    staff = of(client, author)

    shown, answer = staff.get(PROPOSALS), staff.post(PROPOSALS, {"why": "In a hurry."})

    assert "It cannot be submitted yet: 1 fault to mend first" in text_of(shown)
    assert f"{TOPIC}/faults" in shown.content.decode()
    assert answer.status_code == 409
    assert "1 fault stands in the way" in text_of(answer)


# Deciding


def test_an_approver_sees_who_would_wait_longer_and_signs_beside_it(
    client: Client, topic: Topic, author: User, approver: User, measured: Measured, no_faults: None
) -> None:
    proposal = proposed(topic, author)
    measured.lowered = ["one"]
    staff = of(client, approver)

    shown = staff.get(here(proposal))
    signed = staff.post(
        here(proposal, "sign-off"), {"case": "triage/one", "reason": "Harmless."}, follow=True
    )
    approved = staff.post(here(proposal, "approve"), follow=True)
    published = staff.post(here(proposal, "publish"), follow=True)

    assert "Still to be signed off: 1." in text_of(shown)
    assert "Reviews of conditions: 23 of 23 have never been reviewed" in text_of(shown)
    assert "Same day becomes Routine visit" in text_of(shown)
    assert here(proposal, "approve") not in shown.content.decode()
    assert "Signed off by demo-approver" in text_of(signed)
    assert here(proposal, "approve") in signed.content.decode()
    assert "Approved. Patients meet it once it is published." in text_of(approved)
    assert "Published. Whoever begins from now on meets it." in text_of(published)
    assert live_release("back-lump").number == 2
    assert live_release("back-lump").demonstration  # as this is no real service


def test_while_the_effect_is_measured_nothing_can_be_approved(
    client: Client, topic: Topic, author: User, approver: User, measured: Measured, no_faults: None
) -> None:
    proposal = proposed(topic, author)
    measured.is_done = False
    staff = of(client, approver)

    shown = staff.get(here(proposal))
    answer = staff.post(here(proposal, "approve"), follow=True)

    assert "Its effect is being measured" in text_of(shown)
    assert 'hx-trigger="every 2s"' in shown.content.decode()
    assert staff.get(f"{here(proposal)}?poll=1").status_code == 204
    measured.is_done = True
    assert "Its effect is measured." in text_of(staff.get(f"{here(proposal)}?poll=1"))
    assert "Its effect is still being measured (0 of 3000 people)" in text_of(answer)


def test_each_reads_what_they_may_do_and_why_not_the_rest(
    client: Client, topic: Topic, author: User, approver: User, no_faults: None
) -> None:
    proposal = proposed(topic, author)
    seen = {
        person.username: of(Client(), person).get(here(proposal)).content.decode()
        for person in (author, approver, member("auditor", "Auditor"))
    }

    acts = ("approve", "send-back", "withdraw", "comment", "publish")
    offered = {name: [act for act in acts if here(proposal, act) in seen[name]] for name in seen}
    assert offered == {
        "demo-author": ["withdraw", "comment"],
        "demo-approver": ["approve", "send-back", "comment"],
        "auditor": [],
    }
    assert "You wrote a part of this, so somebody else has to approve it." in seen["demo-author"]
    assert "Only members of the Approver group can approve it." in seen["auditor"]


def test_it_is_talked_over_sent_back_and_kept(
    client: Client, topic: Topic, author: User, approver: User, no_faults: None
) -> None:
    proposal = proposed(topic, author)
    staff = of(client, approver)

    staff.post(here(proposal, "comment"), {"text": "For <all> ages?"})
    staff.post(here(proposal, "send-back"), {"why": "“Fat” hurts."})
    shown = staff.get(here(proposal))
    late = staff.post(here(proposal, "approve"), follow=True)

    assert "For &lt;all&gt; ages?" in shown.content.decode()
    assert "Sent back by demo-approver" in text_of(shown)
    assert "“Fat” hurts." in text_of(shown)
    assert "Too late: it stands at “Sent back”." in text_of(late)
    assert "Sent back: “Fat” hurts." in text_of(staff.get(PROPOSALS))


def test_a_decision_for_good_asks_for_the_password_first(
    client: Client, topic: Topic, author: User, approver: User, no_faults: None
) -> None:
    proposal = proposed(topic, author)
    staff = of(client, approver)
    session = staff.session
    session[CONFIRMED_AT] = 0
    session.save()

    for address in (
        here(proposal, "approve"),
        here(proposal, "publish"),
        f"{RELEASES}/1/roll-back",
        f"{RELEASES}/1/recall",
    ):
        answer = staff.post(address, {"why": "Wrong."})
        assert answer.status_code == 302
        assert "/staff/confirm/" in answer["Location"], address
    proposal.refresh_from_db()
    assert proposal.state == ProposalState.SUBMITTED
    assert Release.objects.filter(recalled_at=None).count() == 1


def test_nothing_is_decided_by_following_a_link(
    client: Client, topic: Topic, author: User, approver: User, no_faults: None
) -> None:
    proposal = proposed(topic, author)
    staff = of(client, approver)

    for act in ("approve", "publish", "send-back", "withdraw", "comment", "sign-off", "measure"):
        assert staff.get(here(proposal, act))["Location"] == here(proposal)

    proposal.refresh_from_db()
    assert proposal.state == ProposalState.SUBMITTED


def test_a_post_without_its_token_decides_nothing(
    topic: Topic, author: User, approver: User, no_faults: None
) -> None:
    proposal = proposed(topic, author)

    answer = of(Client(enforce_csrf_checks=True), approver).post(here(proposal, "approve"))

    proposal.refresh_from_db()
    assert (answer.status_code, proposal.state) == (403, ProposalState.SUBMITTED)


def test_what_is_outdated_says_so(
    client: Client, topic: Topic, author: User, approver: User, release: Release, no_faults: None
) -> None:
    first = proposed(topic, author)
    approval.approve(proposal=first, by=approver)
    approval.publish_proposal(proposal=first, by=approver, demonstration=True)
    second = proposed(topic, author, "Another.")
    approval.roll_back(release=release, by=approver, why="It was wrong.")

    shown = of(client, approver).get(here(second))

    assert "Something else is live now than it was compared with." in text_of(shown)
    assert here(second, "approve") not in shown.content.decode()


def test_the_queries_of_the_page_do_not_grow_with_the_change(
    client: Client, topic: Topic, author: User, approver: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(approval, "faults_in", lambda document: [])
    proposal = proposed(topic, author)
    staff = of(client, approver)
    staff.get(here(proposal))

    with CaptureQueriesContext(connection) as few:
        staff.get(here(proposal))
    approval.withdraw(proposal=proposal, by=author)
    topic.features.update(why_we_ask="Because it helps.")
    many_more = approval.submit(topic=topic, author=author, why="All of them.")
    with CaptureQueriesContext(connection) as many:
        staff.get(here(many_more))

    assert len(many) <= len(few) + 3


# Releases


@pytest.fixture
def two(topic: Topic, author: User, approver: User) -> Release:
    change(author)
    return publish(
        topic=topic, author=author, approver=approver, why="Plainer.", demonstration=True
    )


def test_two_releases_are_compared(client: Client, author: User, two: Release) -> None:
    shown = of(client, author).get(f"{RELEASES}?before=1&after=2")

    assert "1 difference from Release 1 to Release 2" in text_of(shown)
    assert "Members of the Publisher group can roll back and recall." in text_of(shown)
    assert "/roll-back" not in shown.content.decode()


def test_a_publisher_rolls_back_and_an_author_puts_the_drafts_back(
    client: Client, author: User, approver: User, two: Release
) -> None:
    staff = of(client, approver)

    asked = staff.get(f"{RELEASES}/1/roll-back")
    done = staff.post(f"{RELEASES}/1/roll-back", {"why": "It misleads."}, follow=True)
    again = staff.post(f"{RELEASES}/1/roll-back", {"why": "It misleads."})

    assert "goes on, and finishes on Release 2." in text_of(asked)
    assert "Release 3 is live, with the content of Release 1." in text_of(done)
    assert again.status_code == 409
    assert "Release 3, which is live, has the content of Release 1 already." in text_of(again)
    writer = of(Client(), author)
    assert "The drafts still hold what was rolled back" in text_of(writer.get(PROPOSALS))
    put = writer.post(f"{RELEASES}/1/put-back", follow=True)
    assert "The drafts are those of Release 1 again." in text_of(put)
    assert "The drafts are the same as Release 3" in text_of(put)


def test_a_recall_says_what_will_happen_to_people_first(
    client: Client, approver: User, two: Release
) -> None:
    staff = of(client, approver)

    asked = staff.get(f"{RELEASES}/2/recall")
    unsaid = staff.post(f"{RELEASES}/2/recall", {"why": " "})
    done = staff.post(f"{RELEASES}/2/recall", {"why": "A wrong number."}, follow=True)

    assert f'<a href="{RELEASES}" aria-current="page">' in asked.content.decode()
    assert "is stopped at their next tap" in text_of(asked)
    assert "Release 1 is live again" in text_of(asked)
    assert unsaid.status_code == 409
    assert "Recalled by demo-approver" in text_of(done)
    assert live_release("back-lump").number == 1
    assert "Nothing is live any more" in text_of(staff.get(f"{RELEASES}/1/recall"))


def test_pages_are_closed_to_who_may_not(
    client: Client, topic: Topic, author: User, approver: User, no_faults: None
) -> None:
    proposal = proposed(topic, author)
    nobody = member("nobody")

    for address in (PROPOSALS, here(proposal), RELEASES):
        assert of(Client(), nobody).get(address).status_code == 403
        assert Client().get(address).status_code == 302
    for address in (f"{RELEASES}/1/roll-back", f"{RELEASES}/1/recall"):
        assert of(Client(), author).get(address).status_code == 403
    assert of(Client(), approver).post(f"{RELEASES}/1/put-back").status_code == 403


def test_a_topic_without_releases_says_what_to_do_first(
    client: Client, topic: Topic, author: User
) -> None:
    fields = {
        field.name: getattr(topic, field.name)
        for field in Topic._meta.concrete_fields
        if not field.primary_key
    }
    Topic.objects.create(**{**fields, "key": "knee"})
    staff = of(client, author)

    assert "Nothing was published yet." in text_of(staff.get("/staff/topics/knee/releases"))
    shown = text_of(staff.get("/staff/topics/knee/proposals"))
    assert "Nothing is live yet" in shown
    assert "It cannot be submitted yet" in shown


def test_a_recalled_release_offers_no_way_back(
    client: Client, approver: User, release: Release, two: Release
) -> None:
    recall(release=release, by=approver, why="Dangerous.")

    shown = of(client, approver).get(RELEASES).content.decode()

    assert f"{RELEASES}/1/roll-back" not in shown
    assert "Dangerous." in shown
