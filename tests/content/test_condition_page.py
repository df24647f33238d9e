"""One page for a condition with all of its numbers: sums, errors, jumps, and who changed what."""

import re

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from tests.staff.people import sign_in
from triage.content.models import AuditRecord, Condition, Likelihood, Option, Source, Topic

from .boxes import Boxes, boxes_on

WHY = "Soft was too high."


@pytest.fixture
def as_author(author: User) -> Client:
    return sign_in(Client(), author)


@pytest.fixture
def lipoma(topic: Topic) -> Condition:
    return Condition.objects.get(key="lipoma")


def page_of(condition: Condition) -> str:
    return reverse("admin:content_condition_change", args=[condition.pk])


def number(key: str = "soft", feature: str = "lump_feel") -> Likelihood:
    return Likelihood.objects.get(
        condition__key="lipoma", option__feature__key=feature, option__key=key
    )


def box(name: str, cell: Likelihood) -> str:
    return f"{name}-{cell.condition_id}-{cell.option_id}"


def last() -> int:
    return AuditRecord.objects.values_list("pk", flat=True).first() or 0


def saved_since(mark: int) -> list[AuditRecord]:
    return list(AuditRecord.objects.filter(pk__gt=mark).order_by("pk"))


def text_of(html: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html))


def test_the_page_has_every_number_by_question_in_the_order_of_the_questions(
    as_author: Client, lipoma: Condition, topic: Topic
) -> None:
    page = as_author.get(page_of(lipoma)).content.decode()
    boxes = boxes_on(as_author, page_of(lipoma))

    typed = [name for name in boxes if name.startswith("probability-")]
    assert len(typed) == Option.objects.of(topic).filter(scored=True).count()
    scored = topic.features.filter(options__scored=True).distinct().order_by("order")
    assert re.findall(r'id="feature-(\w+)"', page) == [feature.key for feature in scored]
    soft = number()
    assert boxes[box("probability", soft)] == "0.547"
    assert boxes[box("basis", soft)] == "guideline"
    assert boxes[box("source", soft)] == "scot_referral2025"
    assert boxes[box("note", soft)] == soft.note


def test_the_page_says_what_adds_up_and_quotes_the_source_document(
    as_author: Client, lipoma: Condition
) -> None:
    page = as_author.get(page_of(lipoma)).content.decode()

    feel = page[page.index('id="feature-lump_feel"') :].partition("</section>")[0]
    assert "Together adds up to 1 " in text_of(feel)
    assert "<b>P3</b> of the source document: Another possible cause is a lipoma" in feel
    assert "Scottish Referral Guidelines" in feel
    look = page[page.index('id="feature-skin_look"') :].partition("</section>")[0]
    assert "Each by itself" in look
    assert "hx-post" in feel
    assert "hx-post" not in look


def test_saving_what_is_there_changes_nothing(as_author: Client, lipoma: Condition) -> None:
    typed = boxes_on(as_author, page_of(lipoma))
    mark = last()

    response = as_author.post(page_of(lipoma), typed | {"why": WHY})

    assert response.status_code == 302
    assert saved_since(mark) == []


def test_each_number_that_changes_leaves_one_record_with_who_and_why(
    as_author: Client, author: User, lipoma: Condition
) -> None:
    soft, hard = number(), number("hard")
    typed = boxes_on(as_author, page_of(lipoma))
    typed |= {box("probability", soft): "0.6", box("source", soft): "milton2021"}
    typed |= {box("probability", hard): "0.034", "why": WHY}
    mark = last()

    response = as_author.post(page_of(lipoma), typed, follow=True)

    records = saved_since(mark)
    assert [(r.table, r.row, r.action, r.who, r.why) for r in records] == [
        ("content_likelihood", soft.pk, "changed", author, WHY),
        ("content_likelihood", hard.pk, "changed", author, WHY),
    ]
    sides = [(r.before or {}, r.after or {}) for r in records]
    assert [(before["probability"], after["probability"]) for before, after in sides] == [
        (0.547, 0.6),
        (0.087, 0.034),
    ]
    soft.refresh_from_db()
    assert (soft.probability, str(soft.source)) == (0.6, "milton2021")
    told = text_of(response.content.decode())
    assert "Feel of the lump: Soft and squidgy, like dough: 0.547 → 0.6" in told
    assert "Patients see it once somebody else has approved it ." in told
    assert "live: 0.547" in told


def test_a_row_that_does_not_add_up_is_kept_and_said(as_author: Client, lipoma: Condition) -> None:
    soft = number()
    typed = boxes_on(as_author, page_of(lipoma)) | {box("probability", soft): "0.6", "why": WHY}

    page = as_author.post(page_of(lipoma), typed, follow=True).content.decode()

    soft.refresh_from_db()
    assert soft.probability == 0.6
    assert "adds up to 1.053: 0.053 too much" in page
    assert re.search(r"<details[^>]* open>\s*<summary>\s*<h3>Feel of the lump", page)


WRONG = [
    ({"probability": ""}, "Write a number above 0 and below 1."),
    ({"probability": "0,6"}, "This is no number. Write it with a point, such as 0.6."),
    ({"probability": "nan"}, "This is no number."),
    ({"probability": "60"}, "nine in ten is 0.9, not 9 or 90."),
    ({"probability": "0"}, "A probability lies above 0 and below 1"),
    ({"probability": "1"}, "A probability lies above 0 and below 1"),
    ({"source": "milton2012"}, "No source has the key “milton2012”."),
    ({"basis": "guideline", "source": ""}, "A number from a study or a guideline names its"),
    ({"basis": "rumour"}, "rumour is not one of the available choices"),
    ({"sample_size": "12", "basis": "estimate"}, "Only a number from a study has a number of"),
    ({"sample_size": "many"}, "Write how many people as a whole number"),
    ({"sample_size": "-4"}, "greater than or equal to 1"),
]


def test_what_is_wrong_is_said_at_its_field_and_nothing_is_saved_or_lost(
    as_author: Client, lipoma: Condition
) -> None:
    cells = Likelihood.objects.filter(condition=lipoma).order_by("pk")
    right, *cells_to_spoil = cells[: len(WRONG) + 1]
    typed = boxes_on(as_author, page_of(lipoma))
    for cell, (wrong, _) in zip(cells_to_spoil, WRONG, strict=True):
        typed |= {box(name, cell): text for name, text in wrong.items()}
    typed |= {box("probability", right): "0.123", "plain_summary": "A soft lump.", "why": WHY}
    mark = last()

    response = as_author.post(page_of(lipoma), typed)

    page = response.content.decode()
    assert response.status_code == 200
    assert saved_since(mark) == []
    for cell, (wrong, said) in zip(cells_to_spoil, WRONG, strict=True):
        field = next(name for name in wrong if said_at(page, box(name, cell)))
        assert said in said_at(page, box(field, cell))
        assert f'href="#{box(field, cell)}"' in page, "the summary leads to the field"
    boxes = Boxes(page).typed
    choices = {box("basis", cell) for cell in cells_to_spoil}  # a list cannot hold “rumour”
    for key, text in typed.items():
        if key not in choices | {"csrfmiddlewaretoken"}:
            assert boxes.get(key) == text, "all that was typed is still there"


def said_at(page: str, field: str) -> str:
    """Return the error that stands at a field."""
    found = re.search(rf'id="wrong-{field}">(.*?)</ul>', page, re.DOTALL)
    return text_of(found[1]) if found else ""


def test_a_reason_is_asked_for_before_anything_is_saved(
    as_author: Client, lipoma: Condition
) -> None:
    typed = boxes_on(as_author, page_of(lipoma)) | {box("probability", number()): "0.6", "why": ""}
    mark = last()

    page = as_author.post(page_of(lipoma), typed).content.decode()

    assert saved_since(mark) == []
    assert "Say why: whoever approves it reads this." in page
    assert Boxes(page).typed[box("probability", number())] == "0.6"


def test_adding_up_without_a_script_saves_nothing_and_complains_of_nothing(
    as_author: Client, lipoma: Condition
) -> None:
    soft = number()
    typed = boxes_on(as_author, page_of(lipoma)) | {box("probability", soft): "0.4", "why": ""}
    typed |= {"prior_percent": "11", "_add_up": "Add up"}
    mark = last()

    page = as_author.post(page_of(lipoma), typed).content.decode()

    assert saved_since(mark) == []
    assert "Added up. Nothing is saved yet." in page
    assert "adds up to 0.853: 0.147 too little" in page
    assert "All priors together: adds up to 101 %: 1 % too much." in page
    assert "errorlist" not in page
    assert Boxes(page).typed[box("probability", soft)] == "0.4"


def test_a_jump_is_refused_until_it_has_a_source_and_its_own_reason(
    as_author: Client, lipoma: Condition
) -> None:
    soft = number()
    typed = boxes_on(as_author, page_of(lipoma)) | {box("probability", soft): "0.06", "why": WHY}

    refused = as_author.post(page_of(lipoma), typed).content.decode()
    soft.refresh_from_db()
    assert soft.probability == 0.547
    assert (
        "0.547 is live, and 0.06 is 9.12 times smaller and lies on the other side of a half."
        " So large a step needs a reason that stays with the number: say it in its note."
    ) in text_of(refused)

    typed |= {box("source", soft): "", box("basis", soft): "estimate"}
    refused = as_author.post(page_of(lipoma), typed).content.decode()
    assert "So large a step needs a source, and a reason" in refused

    typed |= {box("source", soft): "milton2021", box("note", soft): "Six of 100 in the series."}
    assert as_author.post(page_of(lipoma), typed).status_code == 302
    soft.refresh_from_db()
    assert soft.probability == 0.06
    assert "9.12 times smaller" not in as_author.get(page_of(lipoma)).content.decode()


def test_a_jump_from_before_is_shown_with_what_it_lacks(
    as_author: Client, lipoma: Condition
) -> None:
    Likelihood.objects.filter(pk=number().pk).update(probability=0.06)

    page = text_of(as_author.get(page_of(lipoma)).content.decode())

    assert "0.547 is live, and 0.06 is 9.12 times smaller" in page


def test_a_page_that_was_opened_before_undoes_nobodys_work(
    as_author: Client, lipoma: Condition
) -> None:
    soft, hard = number(), number("hard")
    typed = boxes_on(as_author, page_of(lipoma)) | {box("probability", hard): "0.09", "why": WHY}
    Likelihood.objects.filter(pk=soft.pk).update(probability=0.5)

    assert as_author.post(page_of(lipoma), typed).status_code == 302

    soft.refresh_from_db()
    hard.refresh_from_db()
    assert (soft.probability, hard.probability) == (0.5, 0.09)


def test_a_number_that_two_people_change_is_refused_once_and_then_saved(
    as_author: Client, lipoma: Condition
) -> None:
    soft = number()
    typed = boxes_on(as_author, page_of(lipoma)) | {box("probability", soft): "0.6", "why": WHY}
    Likelihood.objects.filter(pk=soft.pk).update(probability=0.52)

    refused = as_author.post(page_of(lipoma), typed).content.decode()
    soft.refresh_from_db()
    assert soft.probability == 0.52
    assert "Somebody has changed this since you opened the page. It is now: 0.52;" in refused

    assert as_author.post(page_of(lipoma), Boxes(refused).typed).status_code == 302
    soft.refresh_from_db()
    assert soft.probability == 0.6


def test_two_people_who_make_the_same_change_are_not_in_each_others_way(
    as_author: Client, lipoma: Condition
) -> None:
    soft = number()
    typed = boxes_on(as_author, page_of(lipoma)) | {box("probability", soft): "0.6", "why": WHY}
    Likelihood.objects.filter(pk=soft.pk).update(probability=0.6)
    mark = last()

    assert as_author.post(page_of(lipoma), typed).status_code == 302
    assert saved_since(mark) == []


def test_a_text_that_somebody_else_has_changed_since_is_not_undone(
    as_author: Client, lipoma: Condition
) -> None:
    typed = boxes_on(as_author, page_of(lipoma)) | {"prior_percent": "11", "why": WHY}
    source = Source.objects.get(key="shephard2015")
    Condition.objects.filter(pk=lipoma.pk).update(plain_summary="A soft lump of fat.")
    lipoma.sources.add(source)

    assert as_author.post(page_of(lipoma), typed).status_code == 302

    lipoma.refresh_from_db()
    assert (lipoma.prior_percent, lipoma.plain_summary) == (11, "A soft lump of fat.")
    assert source in lipoma.sources.all()


def test_a_text_that_two_people_change_is_refused_once_and_then_saved(
    as_author: Client, lipoma: Condition
) -> None:
    typed = boxes_on(as_author, page_of(lipoma))
    typed |= {"plain_summary": "A lump of fat.", "why": WHY}
    others = {"plain_summary": "A soft lump of fat.", "target_time": "within 6 weeks"}
    Condition.objects.filter(pk=lipoma.pk).update(**others)

    refused = as_author.post(page_of(lipoma), typed).content.decode()
    assert "It is now: A soft lump of fat. Save again if yours is to stand." in refused
    assert Boxes(refused).typed["plain_summary"] == "A lump of fat."

    assert as_author.post(page_of(lipoma), Boxes(refused).typed).status_code == 302
    lipoma.refresh_from_db()
    assert (lipoma.plain_summary, lipoma.target_time) == ("A lump of fat.", "within 6 weeks")


def test_a_number_that_is_missing_is_filled_in(
    as_author: Client, author: User, lipoma: Condition
) -> None:
    soft = number()
    name, option = box("probability", soft), soft.option
    soft.delete()
    typed = boxes_on(as_author, page_of(lipoma))
    assert typed[name] == ""
    mark = last()

    assert as_author.post(page_of(lipoma), typed | {name: "0.547", "why": WHY}).status_code == 302

    (record,) = saved_since(mark)
    assert (record.action, record.who, record.why) == ("added", author, WHY)
    filled_in = Likelihood.objects.get(condition=lipoma, option=option)
    assert (filled_in.probability, filled_in.basis) == (0.547, "estimate")


def test_a_text_and_a_number_are_saved_together(as_author: Client, lipoma: Condition) -> None:
    typed = boxes_on(as_author, page_of(lipoma))
    typed |= {"plain_summary": "A soft lump.", box("probability", number()): "0.6", "why": WHY}
    mark = last()

    as_author.post(page_of(lipoma), typed)

    assert [record.table for record in saved_since(mark)] == [
        "content_condition",
        "content_likelihood",
    ]


def test_a_prior_that_jumps_needs_a_source(as_author: Client, lipoma: Condition) -> None:
    lipoma.sources.clear()
    typed = boxes_on(as_author, page_of(lipoma)) | {"prior_percent": "31", "why": WHY}

    refused = as_author.post(page_of(lipoma), typed).content.decode()
    assert "10 % is live, and 31 % is 3.1 times as large. So large a step needs a source" in refused

    source = Source.objects.get(key="milton2021")
    assert as_author.post(page_of(lipoma), typed | {"sources": [str(source.pk)]}).status_code == 302


def test_the_page_asks_the_database_little(as_author: Client, lipoma: Condition) -> None:
    as_author.get(page_of(lipoma))  # reads the live release, once

    with CaptureQueriesContext(connection) as queries:
        as_author.get(page_of(lipoma))

    assert len(queries) <= 30  # fewer than there are questions, and than there are answers


def test_an_auditor_reads_the_numbers_and_cannot_save(lipoma: Condition) -> None:
    auditor = sign_in(Client(), User.objects.get(username="demo-auditor"))
    soft = number()

    page = auditor.get(page_of(lipoma)).content.decode()

    feel = page[page.index('id="feature-lump_feel"') :].partition("</section>")[0]
    assert "<td>0.547" in feel
    assert "<input" not in feel
    post = {box("probability", soft): "0.6", "why": WHY}
    assert auditor.post(page_of(lipoma), post).status_code == 403
    soft.refresh_from_db()
    assert soft.probability == 0.547


def test_a_new_condition_goes_on_with_a_line_for_each_answer(
    as_author: Client, topic: Topic
) -> None:
    adding = reverse("admin:content_condition_add")
    typed = boxes_on(as_author, adding) | {"topic": str(topic.pk), "key": "gout", "why": WHY}
    typed |= {"name": "Gout", "plain_name": "Gout", "plain_summary": "Crystals in a joint."}
    typed |= {"how_found": "By looking.", "how_treated": "With rest.", "kind": "ranked"}
    typed |= {"prior_percent": "1", "prior_basis": "estimate", "urgency": "routine"}
    typed |= {"raise_at_percent": "10", "target_time": "within a month"}

    response = as_author.post(adding, typed, follow=True)

    gout = Condition.objects.get(key="gout")
    assert response.redirect_chain[-1][0] == f"{page_of(gout)}#content-start"
    boxes = Boxes(response.content.decode()).typed
    numbers = [text for name, text in boxes.items() if name.startswith("probability-")]
    assert len(numbers) == Option.objects.of(topic).filter(scored=True).count()
    assert set(numbers) == {""}


def test_a_state_and_a_new_condition_say_why_they_have_no_numbers(
    as_author: Client, topic: Topic
) -> None:
    state = Condition.objects.get(key="cord_cauda_compression")

    assert "A state is raised by red flags only" in as_author.get(page_of(state)).content.decode()
    new = as_author.get(reverse("admin:content_condition_add")).content.decode()
    assert "Save the condition first." in new


def test_the_server_adds_up_what_is_typed_and_says_what_the_others_would_be(
    as_author: Client,
) -> None:
    adding = reverse("content:row_sum", args=["back-lump", "lump_feel"])
    row = Likelihood.objects.filter(
        condition__key="lipoma", option__feature__key="lump_feel"
    ).order_by("option__order")
    typed = {box("probability", cell): str(cell.probability) for cell in row}
    typed |= {box("probability", number()): "0.6", box("note", number()): "0.5"}

    page = text_of(as_author.post(adding, typed).content.decode())

    assert "adds up to 1.053: 0.053 too much" in page
    assert (
        "In proportion the others would be: Firm, like a rubber or an eraser 0.209; Hard, like"
        " bone 0.077; Squashy, like a bag of water 0.064; Like a tight knot or rope in the"
        " muscle 0.05."
    ) in page
    spoilt = as_author.post(adding, typed | {box("probability", number()): "<b>"})
    assert "without “&lt;b&gt;”, which is no number" in spoilt.content.decode()


def test_the_server_adds_up_only_for_staff_and_only_what_there_is(as_author: Client) -> None:
    adding = reverse("content:row_sum", args=["back-lump", "lump_feel"])

    assert as_author.get(adding).status_code == 405
    assert as_author.post(adding, {"probability-0-0": "0.5"}).status_code == 404
    assert Client().post(adding, {}).status_code == 302


def test_the_server_adds_up_the_priors_with_what_is_typed(
    as_author: Client, topic: Topic, lipoma: Condition
) -> None:
    adding = reverse("content:sum_of_priors", args=[topic.key, lipoma.pk])

    page = as_author.post(adding, {"prior_percent": "12"}).content.decode()

    assert page == "All priors together: adds up to 102 %: 2 % too much. Live: 10 %."
