"""The pages on which files of a topic are taken away and brought back."""

import csv
import io
import re
from html import unescape
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from tests.content.test_exchange import small
from tests.staff.people import sign_in
from triage.content.exchange import drafts_of, export_fixtures, export_topic
from triage.content.models import AuditRecord, Condition, Likelihood, Topic, Translation
from triage.content.spreadsheets import PROBABILITY, STATUS, TRANSLATION
from triage.content.topic_file import written

FILES = "/staff/topics/back-lump/files"


@pytest.fixture
def nurse(author: User) -> Client:
    return sign_in(Client(), author)


def text_of(response: Any) -> str:
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", response.content.decode())).split())


def bring(client: Client, address: str, file: bytes, prefix: str, **fields: str) -> Any:
    upload = SimpleUploadedFile("a file", file)
    named = {f"{prefix}-{name}": value for name, value in fields.items()}
    return client.post(address, {f"{prefix}-file": upload, **named})


def confirm(client: Client, shown: HttpResponse, why: str = "Newer numbers.") -> Any:
    (upload,) = re.findall(r'name="upload" value="([^"]+)"', shown.content.decode())
    return client.post(reverse("content:confirm_upload"), {"upload": upload, "why": why})


def edited(table: bytes, **cells: str) -> bytes:
    """Return a table with other cells in its first row."""
    rows = list(csv.DictReader(io.StringIO(table.decode("utf-8-sig"), newline="")))
    rows[0] |= cells
    text = io.StringIO()
    writer = csv.DictWriter(text, rows[0])
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def test_everything_can_be_taken_away(nurse: Client, topic: Topic) -> None:
    addresses = re.findall(
        rf'href="({FILES}/[^"]+)"', nurse.get(FILES).content.decode().replace("&amp;", "&")
    )

    found = {address: nurse.get(address) for address in addresses}

    assert found[f"{FILES}/topic.json"].content == export_topic(topic)
    assert found[f"{FILES}/topic.zip"].content == export_fixtures(topic)
    assert found[f"{FILES}/likelihoods.csv"].content.count(b"\r\n") == 3279
    assert found[f"{FILES}/translations.csv?language=es"].content.startswith(b"\xef\xbb\xbfPlace")
    assert {response["Content-Disposition"].partition(";")[0] for response in found.values()} == {
        "attachment"
    }
    assert nurse.get(f"{FILES}/translations.csv?language=xx").status_code == 302


def test_every_form_can_be_posted_from_a_browser(nurse: Client, topic: Topic) -> None:
    for address, forms in ((FILES, 3), (reverse("content:import"), 1)):
        text = nurse.get(address).content.decode()
        assert text.count('enctype="multipart/form-data"') == forms
        assert (
            len(re.findall(r'multipart/form-data"[^>]*>\s*<input[^>]*csrfmiddleware', text))
            == forms
        )


def test_a_topic_is_looked_at_and_then_replaced(nurse: Client, topic: Topic) -> None:
    file = export_topic(topic)
    Condition.objects.filter(key="lipoma").update(plain_name="Another name")

    shown = bring(nurse, f"{FILES}/topic", file, "topic")
    assert Condition.objects.get(key="lipoma").plain_name == "Another name"
    done = confirm(nurse, shown)

    assert "Conditions: 1 Lipoma" in text_of(shown)
    assert done.url == "/staff/topics/back-lump/"
    assert export_topic(topic) == file
    record = AuditRecord.objects.latest("pk")
    assert (record.who_name, record.why) == ("demo-author", "Newer numbers.")


def test_a_file_that_says_the_same_has_nothing_to_confirm(nurse: Client, topic: Topic) -> None:
    shown = bring(nurse, f"{FILES}/topic", export_topic(topic), "topic")

    assert "there is nothing to change" in text_of(shown)
    assert b'name="upload"' not in shown.content


def test_a_new_topic_is_brought_in_from_the_first_page(nurse: Client, topic: Topic) -> None:
    there = reverse("content:import")
    assert there in nurse.get(reverse("admin:index")).content.decode()

    shown = bring(nurse, there, written(small()), "topic")
    assert not Topic.objects.filter(key="knee").exists()
    done = confirm(nurse, shown, "From another clinic.")

    assert "A new topic: Painful lump" in text_of(shown)
    assert "Questions: 3" in text_of(shown)
    assert done.url == "/staff/topics/knee/"
    assert Topic.objects.get(key="knee").conditions.count() == 3


def test_the_file_of_another_topic_is_not_taken_for_this_one(nurse: Client, topic: Topic) -> None:
    shown = bring(nurse, f"{FILES}/topic", written(small()), "topic")

    assert shown.status_code == 422
    assert "The file is of the topic “knee”: Bring it in on the page" in text_of(shown)


def test_likelihoods_are_looked_at_and_then_written(nurse: Client, topic: Topic) -> None:
    table = edited(nurse.get(f"{FILES}/likelihoods.csv").content, **{PROBABILITY: "0,4"})

    shown = bring(nurse, f"{FILES}/likelihoods", table, "likelihoods")
    confirm(nurse, shown)

    assert "Benign bone tumour of the spine, Age: 16 to 29 Probability 0.46 0.4" in text_of(shown)
    row = Likelihood.objects.of(topic).get(condition__key="benign_bone_tumour", option__key="16_29")
    assert row.probability == 0.4


def test_translations_are_looked_at_and_then_written(nurse: Client, topic: Topic) -> None:
    table = nurse.get(f"{FILES}/translations.csv?language=es").content
    table = edited(table, **{TRANSLATION: "Un bulto", STATUS: "draft"})

    shown = bring(nurse, f"{FILES}/translations", table, "translations", language="es")
    confirm(nurse, shown)

    assert Translation.objects.get(place="topic/back-lump/title").text == "Un bulto"


def test_all_that_is_wrong_with_a_file_is_told_at_once(nurse: Client, topic: Topic) -> None:
    table = nurse.get(f"{FILES}/likelihoods.csv").content.replace(b",0.3,", b",30%,", 2)
    before = drafts_of(topic)

    shown = bring(nurse, f"{FILES}/likelihoods", table, "likelihoods")

    assert shown.status_code == 422
    assert text_of(shown).count("is “30%”. Write it as a share: 0.9 for 90 %.") == 2
    assert drafts_of(topic) == before


def test_what_was_shown_is_not_written_once_the_drafts_have_changed(
    nurse: Client, topic: Topic
) -> None:
    table = edited(nurse.get(f"{FILES}/likelihoods.csv").content, **{PROBABILITY: "0.4"})
    shown = bring(nurse, f"{FILES}/likelihoods", table, "likelihoods")
    Condition.objects.filter(key="lipoma").update(plain_name="Another name")
    before = drafts_of(topic)

    refused = confirm(nurse, shown)

    assert refused.status_code == 409
    assert "Somebody has changed “back-lump” since the differences were shown" in text_of(refused)
    assert drafts_of(topic) == before


def test_without_a_reason_it_is_asked_for_and_what_was_shown_is_kept(
    nurse: Client, topic: Topic
) -> None:
    table = edited(nurse.get(f"{FILES}/likelihoods.csv").content, **{PROBABILITY: "0.4"})
    shown = bring(nurse, f"{FILES}/likelihoods", table, "likelihoods")

    asked = confirm(nurse, shown, why=" ")
    done = confirm(nurse, asked)

    assert asked.status_code == 422
    assert done.status_code == 302


@pytest.mark.parametrize("size", [0, 9 * 1024 * 1024, 11 * 1024 * 1024])
def test_a_file_that_is_empty_or_too_large_is_refused(
    nurse: Client, topic: Topic, size: int
) -> None:
    shown = bring(nurse, f"{FILES}/topic", b" " * size, "topic")

    assert shown.status_code in (400, 413, 422)
    if shown.status_code == 422:
        assert "The file is empty" in text_of(shown) or "of 8 MB at the most" in text_of(shown)


def test_whoever_had_to_sign_in_again_is_told_that_nothing_was_changed(nurse: Client) -> None:
    back = nurse.get(reverse("content:confirm_upload"), follow=True)

    assert "Nothing was changed: choose the file again." in text_of(back)


def test_whoever_may_only_read_takes_files_away_and_brings_none(
    approver: User, topic: Topic
) -> None:
    reader = sign_in(Client(), approver)

    shown = reader.get(FILES)

    assert b'type="file"' not in shown.content
    assert "takes the right to change the topic" in text_of(shown)
    assert reader.get(f"{FILES}/topic.json").status_code == 200
    for address in (f"{FILES}/topic", f"{FILES}/likelihoods", f"{FILES}/translations"):
        assert reader.post(address).status_code == 403
    assert reader.get(reverse("content:import")).status_code == 403


def test_nobody_confirms_what_they_may_not_change(
    nurse: Client, author: User, topic: Topic
) -> None:
    table = edited(nurse.get(f"{FILES}/likelihoods.csv").content, **{PROBABILITY: "0.4"})
    shown = bring(nurse, f"{FILES}/likelihoods", table, "likelihoods")
    author.groups.clear()
    author.user_permissions.add(*_may("view_topic"))

    assert confirm(nurse, shown).status_code == 403


def _may(*names: str) -> Any:
    return Permission.objects.filter(content_type__app_label="content", codename__in=names)


def test_the_pages_are_for_staff_alone(topic: Topic) -> None:
    for address in (
        FILES,
        f"{FILES}/topic.json",
        f"{FILES}/likelihoods.csv",
        "/staff/topics/-/import",
    ):
        assert Client().get(address).headers["Location"].startswith("/staff/login/")


def test_a_topic_without_numbers_says_what_to_do_first(nurse: Client, topic: Topic) -> None:
    empty = Topic.objects.create(
        key="knee", title="Knee", covers="x", usual_questions_low=1, usual_questions_high=2,
        temper=1, slip=0.02, gain_stop=0.05, lead_stop=0.85, spread_estimate=0.2,
        spread_guideline=0.2, spread_study=0.1, document_paragraph="added",
    )  # fmt: skip

    shown = nurse.get(f"/staff/topics/{empty.key}/files")

    assert "There is no likelihood yet. Write the questions" in text_of(shown)
