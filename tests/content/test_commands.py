"""What the commands say, and how they end."""

import re
from io import StringIO

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django.fixtures import Settings

from tests.content.deciding import Measured
from triage.content.demonstration import set_up
from triage.content.management.commands import publish as publish_command
from triage.content.models import Condition, Feature, RedFlag, Release, Topic
from triage.content.releases import live_release
from triage.staff.signing_in import codes_left, phone_of

PEOPLE = ("--author", "demo-author", "--approver", "demo-approver", "--why", "A better word.")


def said(command: str, *words: str, **options: object) -> str:
    out = StringIO()
    call_command(command, *words, stdout=out, **options)
    return out.getvalue()


def test_sound_content_is_said_to_be_sound(release: Release) -> None:
    first, *others = said("check_content").splitlines()

    assert first == "The content is sound."
    assert all(line.startswith("To look at: ") for line in others)


def test_each_fault_is_a_line_and_the_command_fails(release: Release) -> None:
    Feature.objects.filter(key="fever").update(text="", why_we_ask="")

    with pytest.raises(CommandError) as failed:
        said("check_content")

    first, second, *others = str(failed.value).splitlines()
    assert first == "The question “fever”: the field “text” is empty. Fill it in."
    assert second == "The question “fever”: the field “why_we_ask” is empty. Fill it in."
    assert all(line.startswith("To look at: ") for line in others)
    assert failed.value.returncode == 1


def test_what_only_ought_to_be_looked_at_is_named_and_the_command_does_not_fail(
    release: Release,
) -> None:
    RedFlag.objects.filter(key="rf_fever").update(rule="'collapse' in right_now")

    assert (
        "To look at: The red flag “rf_fever”: whenever it fires, “rf_chest_collapse” fires as well,"
        in said("check_content")
    )


def test_publish_says_number_and_hash(release: Release) -> None:
    answer = said("publish", "back-lump", *PEOPLE)

    newest = live_release("back-lump")
    assert answer.startswith("Release 2 of back-lump is published")
    assert newest.sha256 in answer
    assert (newest.demonstration, newest.why) == (False, "A better word.")


def test_publish_marks_a_demonstration(release: Release) -> None:
    said("publish", "back-lump", *PEOPLE, "--demonstration")

    assert live_release("back-lump").demonstration


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("knee", *PEOPLE), "There is no topic “knee”"),
        (("back-lump", *PEOPLE, "--author", "nobody"), "“nobody” or “demo-approver” is nobody's"),
        (("back-lump", *PEOPLE, "--author", "demo-approver"), "must differ"),
        (
            ("back-lump", *PEOPLE, "--author", "demo-approver", "--approver", "demo-author"),
            "demo-author may not approve",
        ),
    ],
)
def test_publish_refuses_in_a_sentence(
    release: Release, words: tuple[str, ...], complaint: str
) -> None:
    with pytest.raises(CommandError, match=re.escape(complaint)):
        said("publish", *words)

    assert Release.objects.count() == 1


def test_publish_lists_the_faults_of_a_draft(release: Release) -> None:
    Condition.objects.filter(key="lipoma").update(prior_percent=11)

    with pytest.raises(CommandError, match=r"The priors add up to 1\.01"):
        said("publish", "back-lump", *PEOPLE)


def test_recall_takes_a_release_out_of_use(release: Release) -> None:
    said("publish", "back-lump", *PEOPLE)

    said("recall", "2", "--by", "demo-approver", "--why", "A wrong number.")

    recalled = Release.objects.get(number=2)
    assert recalled.recalled_by == User.objects.get(username="demo-approver")
    assert live_release("back-lump") == release


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("7", "--by", "demo-author"), "“back-lump” has no release 7"),
        (("1", "--by", "demo-author", "--topic", "knee"), "“knee” has no release 1"),
        (("1", "--by", "nobody"), "“nobody” is nobody's user name"),
    ],
)
def test_recall_refuses_in_a_sentence(
    release: Release, words: tuple[str, ...], complaint: str
) -> None:
    with pytest.raises(CommandError, match=re.escape(complaint)):
        said("recall", *words, "--why", "Why.")


def test_a_second_recall_is_refused(release: Release) -> None:
    said("recall", "1", "--by", "demo-approver", "--why", "Why.")

    with pytest.raises(CommandError, match="recalled before"):
        said("recall", "1", "--by", "demo-approver", "--why", "Why again.")


def test_recall_and_roll_back_are_for_publishers(release: Release) -> None:
    for command in ("recall", "roll_back"):
        with pytest.raises(CommandError, match="Publisher group"):
            said(command, "1", "--by", "demo-author", "--why", "Why.")


def test_roll_back_says_what_is_live(release: Release) -> None:
    Condition.objects.filter(key="lipoma").update(plain_summary="A lump of fat.")
    said("publish", "back-lump", *PEOPLE, "--demonstration")

    answer = said("roll_back", "1", "--by", "demo-approver", "--why", "It misleads.")

    assert answer == "Release 3 of back-lump is live, with the content of release 1.\n"
    assert live_release("back-lump").sha256 == release.sha256
    with pytest.raises(CommandError, match="already"):
        said("roll_back", "1", "--by", "demo-approver", "--why", "It misleads.")
    with pytest.raises(CommandError, match="no release 7"):
        said("roll_back", "7", "--by", "demo-approver", "--why", "It misleads.")


def test_publish_measures_first_and_stops_where_somebody_would_wait_longer(
    release: Release, monkeypatch: pytest.MonkeyPatch
) -> None:
    measured = Measured()
    monkeypatch.setattr(publish_command, "effect_of", measured.effect_of)
    Condition.objects.filter(key="lipoma").update(plain_summary="A lump of fat.")
    measured.lowered = ["one"]

    with pytest.raises(CommandError, match="lower urgency: triage/one"):
        said("publish", "back-lump", *PEOPLE)
    measured.lowered = []
    said("publish", "back-lump", *PEOPLE)

    assert live_release("back-lump").number == 2


def test_loading_content_that_is_there_says_that_nothing_was_changed(release: Release) -> None:
    Topic.objects.update(title="Edited")

    assert said("load_content") == "back-lump: already there, nothing was changed.\n"
    assert Topic.objects.get().title == "Edited"
    assert said("load_content", replace=True) == "back-lump: loaded.\n"
    assert Topic.objects.get().title.startswith("Painful lump")


def test_the_demonstration_makes_people_whose_passwords_are_said_once(release: Release) -> None:
    # Releases name their author for good; so these are made anew under their names.
    for former in User.objects.filter(username__startswith="demo-"):
        former.username = f"former-{former.username}"
        former.save()

    first, second = said("set_up_demonstration"), said("set_up_demonstration")

    created = re.findall(
        r"Created (\S+) with the password (\S+) and the recovery codes ((?:\S+ ){4}\S+)\n", first
    )
    assert [name for name, *_ in created] == [
        "demo-author",
        "demo-approver",
        "demo-auditor",
        "demo-clinic",
    ]
    for name, password, codes in created:
        person = User.objects.get(username=name)
        assert person.check_password(password)
        assert person.is_staff
        assert not person.is_superuser
        assert codes_left(person) == len(codes.split()) == 5
        assert phone_of(person)
    assert len({password for _, password, _ in created}) == 4
    assert second == ""


def test_setting_up_again_changes_nothing_and_asks_little(release: Release) -> None:
    with CaptureQueriesContext(connection) as queries:
        created = set_up()

    assert created == []
    assert Release.objects.count() == 1
    assert len(queries) <= 17
    assert all(query["sql"].startswith(("SELECT", "SAVEPOINT", "RELEASE")) for query in queries)


def test_authors_from_before_there_were_syndromes_may_edit_them(release: Release) -> None:
    new = Permission.objects.filter(codename__contains="syndrome")
    Group.objects.get(name="Author").permissions.remove(*new)

    set_up()

    author = User.objects.get(username="demo-author")
    assert author.has_perms([f"content.{each.codename}" for each in new])


def test_a_real_service_gets_no_demonstration_people(release: Release, settings: Settings) -> None:
    settings.DEBUG_HTTP = False

    with pytest.raises(CommandError, match="real service"):
        said("set_up_demonstration")


def test_the_first_release_is_a_demonstration(release: Release) -> None:
    assert release.demonstration
    assert (release.author.username, release.approver.username) == ("demo-author", "demo-approver")
