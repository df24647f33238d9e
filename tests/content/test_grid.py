"""The whole table of a question: all conditions at once, saved together or not at all."""

import re

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from tests.staff.people import sign_in
from triage.content.models import AuditRecord, Condition, Feature, Likelihood, Topic

from .boxes import Boxes, boxes_on

WHY = "The series of 2021 counted them."
GRID = "/staff/topics/back-lump/grid/lump_feel"


@pytest.fixture
def as_author(author: User) -> Client:
    return sign_in(Client(), author)


def number(condition: str = "lipoma", option: str = "soft") -> Likelihood:
    return Likelihood.objects.get(
        condition__key=condition, option__feature__key="lump_feel", option__key=option
    )


def box(cell: Likelihood) -> str:
    return f"probability-{cell.condition_id}-{cell.option_id}"


def last() -> int:
    return AuditRecord.objects.values_list("pk", flat=True).first() or 0


def saved_since(mark: int) -> list[AuditRecord]:
    return list(AuditRecord.objects.filter(pk__gt=mark).order_by("pk"))


def text_of(html: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html))


def test_there_is_a_line_for_each_ranked_condition_and_a_column_for_each_scored_answer(
    as_author: Client, topic: Topic
) -> None:
    typed = boxes_on(as_author, GRID)

    conditions = Condition.objects.ranked().filter(topic=topic)
    options = Feature.objects.get(key="lump_feel").options.filter(scored=True)
    assert {name for name in typed if name.startswith("probability-")} == {
        f"probability-{condition.pk}-{option.pk}" for condition in conditions for option in options
    }
    assert typed[box(number())] == "0.547"


def test_numbers_are_saved_together_each_with_what_is_said_of_all(
    as_author: Client, author: User
) -> None:
    soft, cyst = number(), number("epidermoid_cyst")
    typed = boxes_on(as_author, GRID) | {box(soft): "0.6", box(cyst): "0.25"}
    typed |= {"basis": "study", "source": "milton2021", "note": "Counted.", "why": WHY}
    mark = last()

    page = as_author.post(GRID, typed, follow=True).content.decode()

    records = saved_since(mark)
    assert {(r.row, r.who, r.why) for r in records} == {
        (soft.pk, author, WHY),
        (cyst.pk, author, WHY),
    }
    assert len(records) == 2
    for cell, after in ((soft, 0.6), (cyst, 0.25)):
        cell.refresh_from_db()
        assert (cell.probability, cell.basis, cell.note) == (after, "study", "Counted.")
        assert str(cell.source) == "milton2021"
    said = text_of(page)
    assert "Fatty lump: Soft and squidgy, like dough: 0.547 → 0.6" in said
    assert "adds up to 1.053: 0.053 too much" in said
    assert "live: 0.547" in said


def test_what_is_left_empty_stays_as_each_number_has_it(as_author: Client) -> None:
    soft = number()
    typed = boxes_on(as_author, GRID) | {box(soft): "0.6", "why": WHY}

    assert as_author.post(GRID, typed).status_code == 302

    before = soft.basis, soft.source, soft.note
    soft.refresh_from_db()
    assert (soft.probability, (soft.basis, soft.source, soft.note)) == (0.6, before)


def test_another_source_did_not_count_the_people_of_the_one_before(as_author: Client) -> None:
    soft = number()
    Likelihood.objects.filter(pk=soft.pk).update(basis="study", sample_size=213)
    typed = boxes_on(as_author, GRID) | {box(soft): "0.6", "source": "milton2021", "why": WHY}

    assert as_author.post(GRID, typed).status_code == 302

    soft.refresh_from_db()
    assert (soft.basis, soft.sample_size, str(soft.source)) == ("study", None, "milton2021")


def test_one_number_that_is_wrong_keeps_all_from_being_saved_and_nothing_typed_is_lost(
    as_author: Client,
) -> None:
    soft, cyst, hard = number(), number("epidermoid_cyst"), number(option="hard")
    typed = boxes_on(as_author, GRID) | {box(soft): "0.6", box(cyst): "2,5", box(hard): "0.9"}
    typed |= {"source": "milton2012", "basis": "study", "note": "Counted.", "why": ""}
    mark = last()

    response = as_author.post(GRID, typed)

    page = response.content.decode()
    assert response.status_code == 200
    assert saved_since(mark) == []
    said = text_of(page)
    assert "Skin cyst: Soft and squidgy, like dough : This is no number." in said
    assert "No source has the key “milton2012”." in said
    assert "Fatty lump: Hard, like bone : 0.087 is live, and 0.9 is 10.3 times as large" not in said
    assert "Say why: whoever approves it reads this." in said
    assert f'href="#{box(cyst)}"' in page
    assert 'href="#id_source"' in page
    still = Boxes(page).typed
    assert {name: still[name] for name in typed if name != "csrfmiddlewaretoken"} == {
        name: text for name, text in typed.items() if name != "csrfmiddlewaretoken"
    }


def test_a_jump_needs_a_source_and_a_note_said_below_the_table(as_author: Client) -> None:
    soft = number()
    typed = boxes_on(as_author, GRID) | {box(soft): "0.06", "why": WHY}

    refused = text_of(as_author.post(GRID, typed).content.decode())
    soft.refresh_from_db()
    assert soft.probability == 0.547
    assert "0.547 is live, and 0.06 is 9.12 times smaller" in refused
    assert "So large a step needs a reason that stays with the number" in refused

    assert as_author.post(GRID, typed | {"note": "Six of 100 were."}).status_code == 302
    soft.refresh_from_db()
    assert (soft.probability, soft.note) == (0.06, "Six of 100 were.")


def test_a_missing_number_is_filled_in(as_author: Client) -> None:
    soft = number()
    soft.delete()
    typed = boxes_on(as_author, GRID)
    assert typed[box(soft)] == ""
    mark = last()

    as_author.post(GRID, typed | {box(soft): "0.547", "note": "Put back.", "why": WHY})

    (record,) = saved_since(mark)
    assert record.action == "added"
    added = Likelihood.objects.get(pk=record.row)
    assert (added.probability, added.basis, added.note) == (0.547, "estimate", "Put back.")


def test_nothing_changed_saves_nothing_and_says_so(as_author: Client) -> None:
    typed = boxes_on(as_author, GRID) | {"note": "For none.", "why": WHY}
    mark = last()

    page = as_author.post(GRID, typed, follow=True).content.decode()

    assert saved_since(mark) == []
    assert "No number was changed, so nothing was saved." in page


def test_a_table_that_was_opened_before_undoes_nobodys_work(as_author: Client) -> None:
    soft, cyst = number(), number("epidermoid_cyst")
    typed = boxes_on(as_author, GRID) | {box(cyst): "0.25", "why": WHY}
    Likelihood.objects.filter(pk=soft.pk).update(probability=0.5)

    assert as_author.post(GRID, typed).status_code == 302
    soft.refresh_from_db()
    assert soft.probability == 0.5

    refused = as_author.post(GRID, typed | {box(soft): "0.6"}).content.decode()
    assert "Somebody has changed this since you opened the page. It is now: 0.5." in refused


def test_adding_up_without_a_script_saves_nothing(as_author: Client) -> None:
    typed = boxes_on(as_author, GRID) | {box(number()): "0.4", "why": "", "add_up": ""}
    mark = last()

    page = as_author.post(GRID, typed).content.decode()

    assert saved_since(mark) == []
    assert "adds up to 0.853: 0.147 too little" in page
    assert "Say why" not in page
    assert Boxes(page).typed[box(number())] == "0.4"


def test_answers_that_may_hold_at_once_need_not_add_up(as_author: Client) -> None:
    page = as_author.get(reverse("content:grid", args=["back-lump", "skin_look"])).content.decode()

    assert "nothing has to add up" in page
    assert "adds up to" not in page


def test_a_table_asks_the_database_as_little_for_all_conditions_as_for_one(
    as_author: Client, topic: Topic
) -> None:
    as_author.get(GRID)

    with CaptureQueriesContext(connection) as many:
        as_author.get(GRID)
    Condition.objects.ranked().exclude(key="lipoma").delete()
    with CaptureQueriesContext(connection) as one:
        as_author.get(GRID)

    assert len(many) == len(one) <= 20


def test_an_auditor_reads_the_table_and_cannot_save(topic: Topic) -> None:
    auditor = sign_in(Client(), User.objects.get(username="demo-auditor"))

    page = auditor.get(GRID).content.decode()

    assert "0.547" in page
    assert "probability-" not in page
    assert auditor.post(GRID, {box(number()): "0.6", "why": WHY}).status_code == 403
    assert number().probability == 0.547


def test_nobody_sees_it_who_is_not_signed_in_and_no_question_is_made_up(
    as_author: Client, client: Client
) -> None:
    assert client.get(GRID).status_code == 302
    assert as_author.get(reverse("content:grid", args=["back-lump", "none"])).status_code == 404


def test_a_question_without_answers_says_what_to_do_first(as_author: Client) -> None:
    page = as_author.get(reverse("content:grid", args=["back-lump", "right_now"])).content.decode()

    assert "This question has no answers with numbers." in page
    assert "Give it answers and mark them as scored" in page
