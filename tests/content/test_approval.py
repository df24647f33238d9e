"""A change reaches patients only when somebody who wrote no part of it has approved it."""

import hashlib
import importlib
import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.utils import timezone
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    rule,
    run_state_machine_as_test,
)

from tests.content.deciding import Measured, change, member, proposed, quick_snapshot_of
from tests.staff.people import sign_in
from triage.content import approval, audit
from triage.content.approval import (
    AlreadyDecided,
    AlreadyProposed,
    NotAudited,
    NothingChanged,
    NotLowered,
    NotMeasured,
    Outdated,
    UnexplainedJumps,
    Unsigned,
    Withdrawn,
    writers_since,
)
from triage.content.audit import changing, draft_tables
from triage.content.choices import ProposalState
from triage.content.documents import canonical, compile_release
from triage.content.faults import faults_in
from triage.content.models import (
    AuditRecord,
    Condition,
    Feature,
    Likelihood,
    Proposal,
    Release,
    Snapshot,
    Source,
    Topic,
)
from triage.content.releases import (
    MayNot,
    MayNotApprove,
    MayNotPublish,
    NoReason,
    NotDone,
    OwnApprover,
    UnfitDraft,
    live_of,
    live_release,
    publish,
    recall,
)
from triage.content.snapshots import snapshot_of
from triage.content.views import proposals as pages


@pytest.fixture
def editor(topic: Topic) -> User:
    """Somebody who may write and approve: never the same change."""
    return member("editor", "Author", "Approver", "Publisher")


@pytest.fixture
def publisher(topic: Topic) -> User:
    return member("publisher", "Publisher")


@pytest.fixture(autouse=True)
def measured(monkeypatch: pytest.MonkeyPatch) -> Measured:
    measured = Measured()
    monkeypatch.setattr(approval, "effect_of", measured.effect_of)
    monkeypatch.setattr(pages, "effect_of", measured.effect_of)
    # Each takes a second, and has tests of its own in `as_it_is`.
    monkeypatch.setattr(approval, "faults_in", lambda document: [])
    monkeypatch.setattr(approval, "snapshot_of", quick_snapshot_of)
    return measured


@pytest.fixture
def as_it_is(measured: Measured, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing in the place of the real services but the measuring."""
    monkeypatch.setattr(approval, "faults_in", faults_in)
    monkeypatch.setattr(approval, "snapshot_of", snapshot_of)


# Submitting


def test_what_is_submitted_is_the_drafts_of_that_moment(
    topic: Topic, author: User, as_it_is: None
) -> None:
    proposal = proposed(topic, author)
    as_submitted = canonical(compile_release(topic)).decode()
    change(author, "Something else.")

    proposal.refresh_from_db()
    assert proposal.snapshot.document == as_submitted
    assert (proposal.base, proposal.state) == (live_of(topic), ProposalState.SUBMITTED)


def test_nothing_is_submitted_where_nobody_writes_down_who_wrote_it(
    topic: Topic, author: User
) -> None:
    change(author)
    on = "" if connection.vendor == "sqlite" else " ON content_likelihood"
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TRIGGER content_likelihood_changed{on}")

    with pytest.raises(NotAudited, match="migrate"):
        approval.submit(topic=topic, author=author, why="A test.")


def test_unchanged_drafts_are_not_submitted(topic: Topic, author: User) -> None:
    with pytest.raises(NothingChanged, match="change something first"):
        approval.submit(topic=topic, author=author, why="Again.")


def test_one_change_at_a_time_is_decided_on(topic: Topic, author: User, editor: User) -> None:
    first = proposed(topic, author)

    with pytest.raises(AlreadyProposed) as already:
        approval.submit(topic=topic, author=editor, why="Mine too.")

    assert already.value.proposal == first
    assert topic.proposals.filter(state=ProposalState.SUBMITTED).count() == 1


def test_drafts_with_faults_are_not_submitted(topic: Topic, author: User, as_it_is: None) -> None:
    Feature.objects.filter(key="fever").update(text="")

    with pytest.raises(UnfitDraft):
        approval.submit(topic=topic, author=author, why="In a hurry.")


def test_a_number_that_moves_far_without_a_reason_is_not_submitted(
    topic: Topic, author: User, as_it_is: None
) -> None:
    two = Likelihood.objects.filter(condition__key="lipoma", option__feature__key="lump_feel")
    most, least = two.order_by("-probability")[0], two.order_by("probability")[0]
    most.probability, least.probability = (
        least.probability + most.probability - 0.02,
        0.02,
    )
    most.probability, least.probability = least.probability, most.probability
    most.save()
    least.save()

    with pytest.raises(UnexplainedJumps) as jumped:
        approval.submit(topic=topic, author=author, why="Turned round.")

    assert {jump.part for jump in jumped.value.jumps} == {"likelihoods"}


def test_a_change_is_submitted_with_a_reason_by_somebody_who_may_write(
    topic: Topic, author: User, approver: User
) -> None:
    change(author)

    with pytest.raises(NoReason):
        approval.submit(topic=topic, author=author, why="  ")
    with pytest.raises(MayNot, match="Author group"):
        approval.submit(topic=topic, author=approver, why="Plainer.")


# Who wrote it


def contributors(proposal: Proposal) -> set[str]:
    return set(proposal.contributors.values_list("username", flat=True))


def test_everybody_who_changed_the_drafts_since_the_live_release_wrote_a_part(
    topic: Topic, author: User, editor: User
) -> None:
    change(editor, "One.")
    change(None, "Two.")
    expected = writers_since(topic, live_of(topic))

    proposal = proposed(topic, author)

    assert contributors(proposal) == {"demo-author", "editor"}
    assert expected == [editor]


def test_who_changed_a_shared_source_wrote_a_part(
    topic: Topic, author: User, editor: User, as_it_is: None
) -> None:
    with changing(who=editor, why="A new address."):
        Source.objects.filter(key="milton2021").update(locator="Somewhere else")

    assert "editor" in contributors(proposed(topic, author))


def test_who_linked_a_source_wrote_a_part(
    topic: Topic, author: User, editor: User, as_it_is: None
) -> None:
    with changing(who=editor, why="Another source."):
        topic.conditions.get(key="lipoma").sources.add(Source.objects.get(key="nice_ng12"))

    assert "editor" in contributors(proposed(topic, author))


def test_what_was_changed_between_submission_and_publication_counts_for_the_next(
    topic: Topic, author: User, approver: User, editor: User
) -> None:
    first = proposed(topic, author)
    change(editor, "Written while the first was being decided on.")
    approval.approve(proposal=first, by=approver)
    approval.publish_proposal(proposal=first, by=approver)

    second = approval.submit(topic=topic, author=author, why="The rest.")

    assert contributors(second) == {"demo-author", "editor"}
    with pytest.raises(OwnApprover):
        approval.approve(proposal=second, by=editor)


def test_a_second_record_of_a_submission_hides_nobody(
    topic: Topic, author: User, approver: User, editor: User
) -> None:
    change(editor, "A part.")
    record = AuditRecord.objects.filter(table="content_proposal", action="added").latest("pk")
    record.pk = None
    record.save(force_insert=True)

    assert contributors(proposed(topic, author)) == {"demo-author", "editor"}
    assert writers_since(topic, live_of(topic)) == [author, editor]


def test_after_a_publication_who_wrote_that_is_free_to_approve_the_next(
    topic: Topic, author: User, approver: User, editor: User
) -> None:
    first = proposed(topic, editor)
    approval.approve(proposal=first, by=approver)
    approval.publish_proposal(proposal=first, by=approver)

    second = proposed(topic, author, "Another.")

    assert contributors(second) == {"demo-author"}
    approval.approve(proposal=second, by=editor)


def test_after_a_roll_back_who_wrote_what_was_rolled_back_wrote_a_part(
    topic: Topic, author: User, approver: User, editor: User, release: Release
) -> None:
    first = proposed(topic, editor)
    approval.approve(proposal=first, by=approver)
    approval.publish_proposal(proposal=first, by=approver)
    approval.roll_back(release=release, by=approver, why="It was wrong.")

    # The drafts still hold what editor wrote, and what is live does not.
    assert contributors(proposed(topic, author, "Another.")) == {"demo-author", "editor"}


def test_a_proposal_made_past_the_service_still_names_who_wrote_it(
    topic: Topic, author: User, approver: User, editor: User, release: Release
) -> None:
    change(editor)
    snapshot = snapshot_of(topic)

    proposal = Proposal.objects.create(
        topic=topic, snapshot=snapshot, base=release, author=author, why="A stooge."
    )

    assert contributors(proposal) == {"demo-author", "editor"}


def test_what_is_decided_is_no_part_of_what_is_written() -> None:
    trigger = importlib.import_module("triage.content.migrations.0009_only_what_was_approved")
    decided = {model._meta.db_table for model in audit._with_links(audit.DECISIONS)}

    assert set(trigger.DECISIONS) == decided
    assert not decided & set(draft_tables())


# Approving


def test_an_approval_is_kept_with_who_and_when(topic: Topic, author: User, approver: User) -> None:
    proposal = proposed(topic, author)
    before = timezone.now()

    approval.approve(proposal=proposal, by=approver)

    proposal.refresh_from_db()
    assert (proposal.state, proposal.approver) == (ProposalState.APPROVED, approver)
    assert proposal.approved_at
    assert proposal.approved_at >= before


def test_nobody_approves_what_they_wrote_a_part_of(
    topic: Topic, author: User, editor: User
) -> None:
    author.groups.add(Group.objects.get(name="Approver"))
    change(editor, "A part.")
    proposal = proposed(topic, author)

    for person in (author, editor):
        with pytest.raises(OwnApprover):
            approval.approve(proposal=proposal, by=person)


def test_only_approvers_approve(topic: Topic, author: User, publisher: User) -> None:
    proposal = proposed(topic, author)

    with pytest.raises(MayNotApprove):
        approval.approve(proposal=proposal, by=publisher)


def test_nothing_is_approved_whose_effect_nobody_knows(
    topic: Topic, author: User, approver: User, measured: Measured
) -> None:
    proposal = proposed(topic, author)
    measured.is_done = False

    with pytest.raises(NotMeasured, match="still being measured"):
        approval.approve(proposal=proposal, by=approver)


def test_a_case_that_goes_lower_waits_for_a_name_and_a_reason(
    topic: Topic, author: User, approver: User, measured: Measured
) -> None:
    proposal = proposed(topic, author)
    measured.lowered = ["one", "two"]

    with pytest.raises(Unsigned) as unsigned:
        approval.approve(proposal=proposal, by=approver)
    assert unsigned.value.cases == ["triage/one", "triage/two"]

    for case in unsigned.value.cases:
        approval.sign_off(proposal=proposal, case=case, by=approver, reason="It is harmless.")
    approval.approve(proposal=proposal, by=approver)

    signed = proposal.sign_offs.values_list("case", "by__username", "reason")
    assert list(signed) == [
        ("triage/one", "demo-approver", "It is harmless."),
        ("triage/two", "demo-approver", "It is harmless."),
    ]


def test_a_case_is_signed_off_once_by_an_approver_who_wrote_no_part(
    topic: Topic, author: User, approver: User, editor: User, publisher: User, measured: Measured
) -> None:
    change(editor, "A part.")
    proposal = proposed(topic, author)
    measured.lowered = ["one"]

    def sign(by: User, case: str = "triage/one", reason: str = "Harmless.") -> None:
        approval.sign_off(proposal=proposal, case=case, by=by, reason=reason)

    with pytest.raises(OwnApprover):
        sign(editor)
    with pytest.raises(MayNotApprove):
        sign(publisher)
    with pytest.raises(NoReason):
        sign(approver, reason=" ")
    with pytest.raises(NotLowered):
        sign(approver, case="triage/other")
    sign(approver)
    sign(approver, reason="Pressed twice.")

    assert [each.reason for each in proposal.sign_offs.all()] == ["Harmless."]


# Talking it over, sending back, taking back


def test_a_comment_is_kept_and_a_double_click_says_it_once(
    topic: Topic, author: User, approver: User
) -> None:
    proposal = proposed(topic, author)

    for _ in range(2):
        approval.comment(proposal=proposal, by=approver, text="Is it for all ages?")

    assert [(each.by, each.text) for each in proposal.comments.all()] == [
        (approver, "Is it for all ages?")
    ]


def test_an_auditor_reads_only(topic: Topic, author: User) -> None:
    proposal, auditor = proposed(topic, author), member("auditor", "Auditor")

    for act in (
        lambda: approval.comment(proposal=proposal, by=auditor, text="Hm."),
        lambda: approval.send_back(proposal=proposal, by=auditor, why="No."),
        lambda: approval.withdraw(proposal=proposal, by=auditor),
        lambda: approval.approve(proposal=proposal, by=auditor),
        lambda: approval.publish_proposal(proposal=proposal, by=auditor),
        lambda: approval.roll_back(release=topic.releases.get(number=1), by=auditor, why="No."),
        lambda: approval.put_back(release=topic.releases.get(number=1), by=auditor, why="No."),
    ):
        with pytest.raises(NotDone, match=r"auditor may|Only demo-author"):
            act()


def test_what_was_sent_back_can_be_mended_and_submitted_again(
    topic: Topic, author: User, approver: User
) -> None:
    first = proposed(topic, author)
    approval.send_back(proposal=first, by=approver, why="“Fat” hurts.")

    second = proposed(topic, author, "A soft, harmless lump.")

    first.refresh_from_db()
    assert (first.state, first.closed_by, first.closed_why) == (
        ProposalState.SENT_BACK,
        approver,
        "“Fat” hurts.",
    )
    approval.approve(proposal=second, by=approver)


def test_only_its_author_takes_a_change_back(topic: Topic, author: User, approver: User) -> None:
    proposal = proposed(topic, author)

    with pytest.raises(MayNot):
        approval.withdraw(proposal=proposal, by=approver)
    approval.withdraw(proposal=proposal, by=author)

    assert proposal.state == ProposalState.WITHDRAWN


def test_what_is_decided_is_not_decided_again(topic: Topic, author: User, approver: User) -> None:
    proposal = proposed(topic, author)
    approval.send_back(proposal=proposal, by=approver, why="No.")

    for act in (
        lambda: approval.approve(proposal=proposal, by=approver),
        lambda: approval.withdraw(proposal=proposal, by=author),
        lambda: approval.send_back(proposal=proposal, by=approver, why="No."),
        lambda: approval.publish_proposal(proposal=proposal, by=approver),
    ):
        with pytest.raises(AlreadyDecided):
            act()


# Publishing


def test_what_was_approved_is_published_to_the_byte(
    topic: Topic, author: User, approver: User, publisher: User
) -> None:
    proposal = proposed(topic, author)
    approval.approve(proposal=proposal, by=approver)

    release = approval.publish_proposal(proposal=proposal, by=publisher)

    assert live_release("back-lump") == release
    assert (release.number, release.document) == (2, proposal.snapshot.document)
    assert (release.author, release.approver, release.publisher) == (author, approver, publisher)
    assert (release.proposal, proposal.state) == (proposal, ProposalState.PUBLISHED)


def test_nothing_is_published_that_was_not_approved(
    topic: Topic, author: User, publisher: User
) -> None:
    with pytest.raises(AlreadyDecided, match="Waiting to be approved"):
        approval.publish_proposal(proposal=proposed(topic, author), by=publisher)

    assert topic.releases.count() == 1


def test_nobody_publishes_what_they_wrote_a_part_of(
    topic: Topic, author: User, approver: User, editor: User
) -> None:
    change(editor, "A part.")
    proposal = proposed(topic, author)
    approval.approve(proposal=proposal, by=approver)

    for person in (author, editor):
        with pytest.raises(MayNotPublish):
            approval.publish_proposal(proposal=proposal, by=person)


def test_a_change_that_was_compared_with_something_else_is_not_published(
    topic: Topic, author: User, approver: User, release: Release
) -> None:
    first = proposed(topic, author)
    approval.approve(proposal=first, by=approver)
    approval.publish_proposal(proposal=first, by=approver)
    second = proposed(topic, author, "Another.")
    approval.approve(proposal=second, by=approver)
    approval.roll_back(release=release, by=approver, why="It was wrong.")

    with pytest.raises(Outdated, match="submit it again"):
        approval.publish_proposal(proposal=second, by=approver)


def test_each_decision_is_on_record_with_who_and_why(
    topic: Topic, author: User, approver: User
) -> None:
    proposal = proposed(topic, author)
    approval.approve(proposal=proposal, by=approver)
    release = approval.publish_proposal(proposal=proposal, by=approver)
    approval.roll_back(release=topic.releases.get(number=1), by=approver, why="Wrong.")
    recall(release=release, by=approver, why="Dangerous.")

    records = AuditRecord.objects.filter(topic=topic).exclude(table__in=draft_tables())
    told = [(r.table, r.action, r.who_name, r.why) for r in records.order_by("pk")][2:]
    # The first proposal, its approval, release and end are those of the demonstration.
    mine = [each for each in told if each[3] not in ("",) and "First release" not in each[3]]
    assert mine == [
        ("content_proposal", "added", "demo-author", "Plainer words."),
        ("content_proposalcontributor", "added", "demo-author", "Plainer words."),
        ("content_proposal", "changed", "demo-approver", "Approved: Plainer words."),
        ("content_release", "added", "demo-approver", "Published: Plainer words."),
        ("content_proposal", "changed", "demo-approver", "Published: Plainer words."),
        ("content_release", "added", "demo-approver", "Wrong."),
        ("content_release", "changed", "demo-approver", "Dangerous."),
    ]


# Rolling back


def test_a_roll_back_is_the_earlier_release_to_the_byte(
    topic: Topic, author: User, approver: User, release: Release
) -> None:
    change(author)
    publish(topic=topic, author=author, approver=approver, why="Worse.", demonstration=True)
    began = time.perf_counter()

    new = approval.roll_back(release=release, by=approver, why="The words mislead.")

    print(f"\nrolled back in {time.perf_counter() - began:.3f} s")  # noqa: T201 - at most 1 s
    earlier = Release.objects.get(pk=release.pk)
    new.refresh_from_db()
    assert live_release("back-lump") == new
    assert (new.number, new.document, new.sha256) == (3, earlier.document, earlier.sha256)
    assert hashlib.sha256(new.document.encode()).hexdigest() == new.sha256
    assert (new.author, new.approver) == (earlier.author, earlier.approver)
    assert (new.publisher, new.rolled_back_to, new.why) == (
        approver,
        earlier,
        "The words mislead.",
    )


def test_a_second_press_rolls_nothing_back(
    topic: Topic, author: User, approver: User, release: Release
) -> None:
    change(author)
    publish(topic=topic, author=author, approver=approver, why="Worse.", demonstration=True)
    approval.roll_back(release=release, by=approver, why="Wrong.")

    with pytest.raises(NothingChanged):
        approval.roll_back(release=release, by=approver, why="Wrong.")

    assert topic.releases.count() == 3


def test_nobody_rolls_back_to_what_was_recalled_or_without_a_reason_or_permission(
    topic: Topic, author: User, approver: User, release: Release
) -> None:
    change(author)
    publish(topic=topic, author=author, approver=approver, why="Worse.", demonstration=True)

    with pytest.raises(MayNotPublish):
        approval.roll_back(release=release, by=author, why="Wrong.")
    with pytest.raises(NoReason):
        approval.roll_back(release=release, by=approver, why=" ")
    recall(release=release, by=approver, why="Dangerous.")
    with pytest.raises(Withdrawn, match="Dangerous"):
        approval.roll_back(release=release, by=approver, why="Wrong.")


def test_a_real_service_does_not_roll_back_to_a_demonstration(
    topic: Topic, author: User, approver: User, release: Release, settings: Any
) -> None:
    change(author)
    publish(topic=topic, author=author, approver=approver, why="Real.")
    settings.DEBUG_HTTP = False

    with pytest.raises(Withdrawn, match="demonstration"):
        approval.roll_back(release=release, by=approver, why="Wrong.")


def test_drafts_are_put_back_to_the_byte(
    topic: Topic, author: User, approver: User, release: Release
) -> None:
    with changing(who=author, why="Much at once."):
        Condition.objects.filter(key="lipoma").update(plain_summary="Else.")
        topic.red_flags.first().delete()  # type: ignore[union-attr] # there are 32
        topic.conditions.filter(key="skin_cyst").delete()
        Source.objects.create(
            key="zzz",
            citation="New.",
            locator="-",
            year="2026",
            how_checked="C",
            used_for_content="no",
        )
        topic.conditions.get(key="lipoma").sources.add(Source.objects.get(key="zzz"))

    is_same = approval.put_back(release=release, by=author, why="As it was.")

    assert is_same
    assert canonical(compile_release(topic)).decode() == Release.objects.get(pk=release.pk).document
    last = AuditRecord.objects.first()
    assert last
    assert (last.who_name, last.why) == ("demo-author", "As it was.")


# Four ways round the approval: form, POST, ORM, SQL


@pytest.fixture
def waiting(topic: Topic, author: User, editor: User, release: Release) -> Proposal:
    """A change that `author` submitted and `editor` wrote a part of; both may approve."""
    author.groups.set(Group.objects.all())
    change(editor, "A part.")
    proposal = proposed(topic, author)
    return Proposal.objects.get(pk=proposal.pk)


@pytest.fixture(params=["demo-author", "editor"])
def writer(request: pytest.FixtureRequest, waiting: Proposal) -> User:
    return User.objects.get(username=request.param)


def here(proposal: Proposal, act: str = "") -> str:
    return f"/staff/topics/back-lump/proposals/{proposal.pk}{act and '/'}{act}"


def is_untouched(proposal: Proposal) -> bool:
    now = Proposal.objects.get(pk=proposal.pk)
    return (now.state, now.approver) == (
        ProposalState.SUBMITTED,
        None,
    ) and Release.objects.count() == 1


def test_the_form_offers_a_writer_no_approval(
    client: Client, waiting: Proposal, writer: User
) -> None:
    shown = sign_in(client, writer).get(here(waiting)).content.decode()

    assert here(waiting, "approve") not in shown
    assert "You wrote a part of this, so somebody else has to approve it." in shown


def test_a_post_by_a_writer_approves_nothing(
    client: Client, waiting: Proposal, writer: User
) -> None:
    answer = sign_in(client, writer).post(here(waiting, "approve"), follow=True)

    assert "Nobody approves what they wrote a part of" in answer.content.decode()
    assert is_untouched(waiting)


def test_the_orm_approves_nothing_for_a_writer(waiting: Proposal, writer: User) -> None:
    given = {"state": "approved", "approver": writer, "approved_at": timezone.now()}

    with pytest.raises(IntegrityError), transaction.atomic():
        Proposal.objects.filter(pk=waiting.pk).update(**given)
    for name, value in given.items():
        setattr(waiting, name, value)
    with pytest.raises(IntegrityError), transaction.atomic():
        waiting.save()
    with pytest.raises(IntegrityError), transaction.atomic():
        Proposal.objects.bulk_update([waiting], list(given))
    waiting.pk = None
    with pytest.raises(IntegrityError), transaction.atomic():
        waiting.save(force_insert=True)


def refused(sql: str, *values: Any) -> bool:
    """Run it, to the end of its transaction; return whether the database refused."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(sql, values)
            if connection.vendor == "postgresql":
                cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            else:
                connection.check_constraints()
    except IntegrityError:
        return True
    return False


APPROVE = "UPDATE content_proposal SET state = 'approved', approver_id = %s, approved_at = %s"


def test_sql_approves_nothing_for_a_writer(waiting: Proposal, writer: User) -> None:
    assert refused(APPROVE, writer.pk, timezone.now())
    assert refused(
        "UPDATE content_proposal SET approver_id = %s, approved_at = %s", writer.pk, timezone.now()
    )
    assert is_untouched(waiting)


OF_WHAT_WAS_SUBMITTED = (
    "DELETE FROM content_proposalcontributor",
    "UPDATE content_proposalcontributor SET person_id = {approver}",
    "UPDATE content_proposal SET author_id = {approver}",
    "UPDATE content_proposal SET why = 'Another story.'",
    "UPDATE content_proposal SET base_id = NULL",
    "UPDATE content_proposal SET snapshot_id = snapshot_id + 1",
    "UPDATE content_proposal SET id = id + 1000",
    "DELETE FROM content_proposal",
    "UPDATE content_snapshot SET document = '{{}}'",
    "UPDATE content_snapshot SET sha256 = replace(sha256, 'a', 'b')",
    "DELETE FROM content_snapshot WHERE id IN (SELECT snapshot_id FROM content_proposal)",
    "DELETE FROM content_auditrecord",
    "UPDATE content_auditrecord SET who_id = {approver}",
)
OF_WHAT_WAITS = (
    "UPDATE content_proposal SET state = 'approved' WHERE id = {proposal}",
    "UPDATE content_proposal SET state = 'published' WHERE id = {proposal}",
    (
        "UPDATE content_proposal SET state = 'published', approver_id = {approver},"
        " approved_at = submitted_at WHERE id = {proposal}"
    ),
)
OF_WHAT_WAS_APPROVED = (
    "UPDATE content_proposal SET state = 'submitted' WHERE id = {proposal}",
    (
        "UPDATE content_proposal SET state = 'submitted', approver_id = NULL, approved_at = NULL"
        " WHERE id = {proposal}"
    ),
    "UPDATE content_proposal SET state = 'published', approver_id = {other} WHERE id = {proposal}",
)


def test_sql_changes_nothing_of_what_was_submitted_and_of_what_was_approved(
    waiting: Proposal, approver: User, publisher: User
) -> None:
    values = {"approver": approver.pk, "other": publisher.pk, "proposal": waiting.pk}

    for sql in (*OF_WHAT_WAS_SUBMITTED, *OF_WHAT_WAITS):
        assert refused(sql.format(**values)), sql
    approval.approve(proposal=waiting, by=approver)
    for sql in (*OF_WHAT_WAS_SUBMITTED, *OF_WHAT_WAS_APPROVED):
        assert refused(sql.format(**values)), sql


def test_an_approval_is_not_handed_to_another(
    waiting: Proposal, approver: User, editor: User, publisher: User
) -> None:
    approval.approve(proposal=waiting, by=approver)

    for person in (publisher.pk, editor.pk, None):
        assert refused("UPDATE content_proposal SET approver_id = %s", person)
    assert refused("UPDATE content_proposal SET approved_at = submitted_at")
    assert refused(
        "INSERT INTO content_proposalcontributor (proposal_id, person_id) VALUES (%s, %s)",
        waiting.pk,
        approver.pk,
    )


def columns_of(model: Any, *without: str) -> list[str]:
    return [
        str(field.column)
        for field in model._meta.concrete_fields
        if not field.primary_key and field.column not in without
    ]


def copied(model: Any, **other: str) -> str:
    """Return SQL that adds a row like those there are, but for some of its columns."""
    table, columns = model._meta.db_table, columns_of(model)
    values = ", ".join(other.get(column, column) for column in columns)
    return f"INSERT INTO {table} ({', '.join(columns)}) SELECT {values} FROM {table}"


BROUGHT_BACK = {"rolled_back_to_id": "{release}", "proposal_id": "NULL", "number": "2"}
RELEASES: list[dict[str, str]] = [
    {"number": "2"},
    {"number": "2", "proposal_id": "NULL"},
    {"number": "2", "proposal_id": "{proposal}"},
    {"number": "2", "proposal_id": "{proposal}", "sha256": "'{sha256}'", "document": "'{{}}'"},
    {"number": "2", "document": "'{{}}'"},
    {"number": "2", "author_id": "{approver}", "approver_id": "{author}"},
    {"number": "2", "rolled_back_to_id": "{release}"},
    {**BROUGHT_BACK, "document": "'{{}}'"},
    {**BROUGHT_BACK, "approver_id": "{author}"},
    {**BROUGHT_BACK, "publisher_id": "NULL"},
    {**BROUGHT_BACK, "demonstration": "FALSE"},
    {**BROUGHT_BACK, "number": "0"},
]


def test_no_release_gets_in_without_an_approved_proposal_of_its_own(
    waiting: Proposal, approver: User, release: Release
) -> None:
    values = {
        "proposal": waiting.pk,
        "sha256": waiting.snapshot.sha256,
        "release": release.pk,
        "author": waiting.author_id,
        "approver": approver.pk,
    }

    for other in RELEASES:
        sql = copied(Release, **{name: sql.format(**values) for name, sql in other.items()})
        assert refused(sql), other
    assert Release.objects.count() == 1


def test_one_approval_publishes_once(
    topic: Topic, author: User, approver: User, release: Release
) -> None:
    proposal = proposed(topic, author)
    approval.approve(proposal=proposal, by=approver)
    approval.publish_proposal(proposal=proposal, by=approver)

    sql = copied(Release, number="number + 10") + " WHERE number = 2"

    assert refused(sql)
    assert refused("UPDATE content_proposal SET state = 'approved'")


def test_an_approved_proposal_lets_no_other_content_out(
    topic: Topic, author: User, approver: User, waiting: Proposal
) -> None:
    approval.approve(proposal=waiting, by=approver)
    wanted = {
        "proposal_id": str(waiting.pk),
        "author_id": str(waiting.author_id),
        "approver_id": str(approver.pk),
        "publisher_id": str(approver.pk),
    }

    assert refused(copied(Release, number="2", **wanted))
    for publisher in (waiting.author_id, User.objects.get(username="editor").pk):
        own = {**wanted, "publisher_id": str(publisher)}
        other = {"sha256": f"'{waiting.snapshot.sha256}'"}
        document = f"(SELECT document FROM content_snapshot WHERE id = {waiting.snapshot_id})"
        assert refused(copied(Release, number="2", document=document, **own, **other))


@pytest.mark.skipif("connection.vendor != 'sqlite'", reason="Postgres has no INSERT OR REPLACE")
@pytest.mark.parametrize("model", [Proposal, Snapshot, Release])
def test_nothing_is_put_in_the_place_of_what_was_decided(waiting: Proposal, model: Any) -> None:
    sql = copied(model).replace("INSERT INTO", "INSERT OR REPLACE INTO")
    before = list(model.objects.values_list("pk"))

    assert refused(sql)
    assert list(model.objects.values_list("pk")) == before


def test_nothing_is_approved_as_it_is_submitted(
    topic: Topic, author: User, approver: User, release: Release
) -> None:
    snapshot = snapshot_of(topic)
    rows: list[dict[str, Any]] = [
        {"approver": approver, "approved_at": timezone.now(), "state": "approved"},
        {"approver": approver, "approved_at": timezone.now()},
        {"state": "withdrawn", "closed_by": author, "closed_at": timezone.now()},
    ]

    for row in rows:
        with pytest.raises(IntegrityError), transaction.atomic():
            Proposal.objects.create(
                topic=topic, snapshot=snapshot, base=release, author=author, why="Why.", **row
            )


def test_a_change_has_the_drafts_of_its_own_topic_and_starts_from_what_was_not_recalled(
    topic: Topic, author: User, approver: User, release: Release
) -> None:
    fields = {
        field.name: getattr(topic, field.name)
        for field in Topic._meta.concrete_fields
        if not field.primary_key
    }
    other = Topic.objects.create(**{**fields, "key": "knee"})
    snapshot = snapshot_of(topic)
    recall(release=release, by=approver, why="Wrong.")

    for row in ({"topic": other}, {"topic": topic, "base": release}):
        with pytest.raises(IntegrityError), transaction.atomic():
            Proposal.objects.create(snapshot=snapshot, author=author, why="Why.", **row)


def test_a_writer_signs_no_case_off_by_sql(waiting: Proposal, writer: User) -> None:
    assert refused(
        'INSERT INTO content_casesignoff (proposal_id, "case", by_id, at, reason)'
        " VALUES (%s, 'triage/one', %s, %s, 'Mine.')",
        waiting.pk,
        writer.pk,
        timezone.now(),
    )


# Whatever the order of steps


PEOPLE = ("ann", "ben", "cem", "dora")


class Desk(RuleBasedStateMachine):
    """Four people who may all write, approve and publish, in any order."""

    topic: Topic
    people: dict[str, User]
    who = st.sampled_from(PEOPLE)

    def __init__(self) -> None:
        super().__init__()
        self.atomic = transaction.atomic()
        self.atomic.__enter__()
        self.edits: list[str] = []
        self.published = 0
        live = live_of(self.topic)
        self.held = {live.sha256 if live else "": 0}
        """How many of the edits each content holds, by its hash."""

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self.atomic.__exit__(None, None, None)

    def snapshot_of(self, topic: Topic) -> Snapshot:
        """The same as the real one, in a thousandth of the time."""
        document = json.dumps({"edits": self.edits})
        sha256 = hashlib.sha256(document.encode()).hexdigest()
        if not self.edits:
            return Snapshot.objects.filter(proposals__releases__number=1).get()
        self.held.setdefault(sha256, len(self.edits))
        row, _ = Snapshot.objects.get_or_create(
            topic=topic, sha256=sha256, defaults={"document": document}
        )
        return row

    def attempt(self, act: Callable[[], object]) -> None:
        with transaction.atomic():
            try:
                act()
            except NotDone:
                return

    def newest(self) -> Proposal | None:
        return Proposal.objects.filter(topic=self.topic).order_by("pk").last()

    @rule(who=who)
    def edit(self, who: str) -> None:
        change(self.people[who], f"Edit {len(self.edits)}.")
        self.edits.append(who)

    @rule(who=who)
    def submit(self, who: str) -> None:
        self.attempt(lambda: approval.submit(topic=self.topic, author=self.people[who], why="Why."))

    @rule(writer=who, author=who, approver=who, publisher=who)
    def try_all_of_it(self, writer: str, author: str, approver: str, publisher: str) -> None:
        self.edit(writer)
        self.submit(author)
        self.decide(approver, "approve")
        self.decide(publisher, "publish")

    @rule(who=who, act=st.sampled_from(["approve", "publish", "withdraw", "send_back"]))
    def decide(self, who: str, act: str) -> None:
        if not (proposal := self.newest()):
            return
        person = self.people[who]
        acts: dict[str, Callable[[], object]] = {
            "approve": lambda: approval.approve(proposal=proposal, by=person),
            "publish": lambda: approval.publish_proposal(proposal=proposal, by=person),
            "withdraw": lambda: approval.withdraw(proposal=proposal, by=person),
            "send_back": lambda: approval.send_back(proposal=proposal, by=person, why="No."),
        }
        self.attempt(acts[act])

    @rule(who=who, number=st.integers(1, 4))
    def roll_back(self, who: str, number: int) -> None:
        if release := self.topic.releases.filter(number=number).first():
            self.attempt(
                lambda: approval.roll_back(release=release, by=self.people[who], why="Wrong.")
            )

    @invariant()
    def nobody_has_approved_what_they_wrote(self) -> None:
        published = self.topic.releases.exclude(number=1).filter(rolled_back_to=None)
        self.published = len(published)
        for release in published:
            proposal = release.proposal
            assert proposal
            assert proposal.base
            own = self.edits[self.held[proposal.base.sha256] : self.held[release.sha256]]
            wrote = {proposal.author.username, *own}
            assert release.approver.username not in wrote
            assert release.publisher
            assert release.publisher.username not in wrote


@pytest.mark.filterwarnings("ignore::hypothesis.errors.NonInteractiveExampleWarning")
def test_no_order_of_steps_lets_a_writer_approve(
    topic: Topic, monkeypatch: pytest.MonkeyPatch
) -> None:
    machines: list[Desk] = []

    class Here(Desk):
        def __init__(self) -> None:
            super().__init__()
            machines.append(self)

        people = {name: member(name, "Author", "Approver", "Publisher") for name in PEOPLE}

    Here.topic = topic

    monkeypatch.setattr(approval, "snapshot_of", lambda topic: machines[-1].snapshot_of(topic))
    monkeypatch.setattr(approval, "_refuse_unfit", lambda *_: None)
    run_state_machine_as_test(
        Here,
        settings=settings(
            max_examples=12,
            stateful_step_count=20,
            deadline=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        ),
    )
    assert sum(machine.published for machine in machines) > 3  # or too little was tried
