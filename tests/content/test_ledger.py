"""The evidence ledger: every number of the drafts, what it rests on, and who looked at it."""

import csv
import io
from collections import Counter
from datetime import date, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from tests.staff.people import sign_in
from triage.content.audit import changing
from triage.content.documents import Document, compile_release
from triage.content.ledger import (
    NO_BASIS,
    NO_SOURCE,
    UNSIGNED,
    Entry,
    Ledger,
    ReviewState,
    Sort,
    Wanted,
    found,
    ledger_of,
    review_of,
)
from triage.content.models import Likelihood, Review, Topic
from triage.content.reviews import PARTS, place_of_row, reviewables_of, reviews_of, standings_of

TODAY = date(2026, 11, 26)
HERE = "/staff/topics/back-lump/evidence"


@pytest.fixture
def ledger(topic: Topic) -> Ledger:
    return ledger_of(topic)


@pytest.fixture
def document(topic: Topic) -> Document:
    return compile_release(topic)


@pytest.fixture
def staff(client: Client, author: User) -> Client:
    return sign_in(client, author)


def review(topic: Topic, place: str, *, on: date, due: date, by: str = "Dr Ruth Amar") -> Review:
    return Review.objects.create(topic=topic, place=place, reviewer=by, reviewed_on=on, due_on=due)


def empty_topic() -> Topic:
    return Topic.objects.create(
        key="new", title="New", covers="", usual_questions_low=1, usual_questions_high=2,
        temper=1, slip=0.02, gain_stop=0.05, lead_stop=0.8, spread_estimate=0.2,
        spread_guideline=0.2, spread_study=0.2, document_paragraph="added",
    )  # fmt: skip


def of(ledger: Ledger, sort: Sort) -> list[Entry]:
    return [entry for entry in ledger.entries if entry.sort == sort]


# Every number


def test_every_number_and_every_rule_of_the_document_is_there_once(
    ledger: Ledger, document: Document
) -> None:
    ranked = [row for row in document["conditions"] if row["prior_percent"] is not None]

    assert Counter(entry.sort for entry in ledger.entries) == Counter(
        {
            Sort.PRIOR: len(ranked),
            Sort.LIKELIHOOD: len(document["likelihoods"]),
            Sort.CHANCE: len(document["syndrome_chances"]),
            Sort.MEMBER: len(document["syndrome_members"]),
            Sort.THRESHOLD: len(ranked),
            Sort.RULE: len(document["red_flags"]),
        }
    ) + Counter({Sort.GROUP: len(document["risk_groups"])})


def test_numbers_bases_and_sources_are_those_of_the_document(
    ledger: Ledger, document: Document
) -> None:
    features = {row["key"]: row["name"] for row in document["features"]}
    answers = {
        (row["feature"][1], row["key"]): f"{features[row['feature'][1]]}: “{row['text']}”"
        for row in document["options"]
    }
    conditions = {row["key"]: row["plain_name"] for row in document["conditions"]}

    wanted = {
        (
            conditions[row["condition"][1]] + ": " + answers[tuple(row["option"][1:])],
            f"{row['probability']:g}",
            row["basis"],
            tuple(row["source"] or ()),
            row["sample_size"],
            row["note"],
        )
        for row in document["likelihoods"]
    }

    assert wanted == {
        (e.what, e.value, e.basis, e.sources, e.sample_size, e.note)
        for e in of(ledger, Sort.LIKELIHOOD)
    }


def test_priors_thresholds_and_syndromes_have_the_values_of_the_document(
    ledger: Ledger, document: Document
) -> None:
    def values(sort: Sort) -> Counter[tuple[str, str]]:
        return Counter((entry.value, entry.basis) for entry in of(ledger, sort))

    ranked = [row for row in document["conditions"] if row["prior_percent"] is not None]
    assert values(Sort.PRIOR) == Counter(
        (f"{row['prior_percent']:g} %", row["prior_basis"]) for row in ranked
    )
    assert values(Sort.THRESHOLD) == Counter(
        (f"{row['raise_at_percent']:g} %", "") for row in ranked
    )
    for part, sort in (("syndrome_chances", Sort.CHANCE), ("syndrome_members", Sort.MEMBER)):
        assert values(sort) == Counter(
            (f"{row['probability']:g}", row["basis"]) for row in document[part]
        )


def test_priors_thresholds_and_rules_name_the_sources_of_their_row(
    ledger: Ledger, document: Document
) -> None:
    for part, sort in (("conditions", Sort.PRIOR), ("red_flags", Sort.RULE)):
        rows = {f"{part}/{row['key']}": row for row in document[part]}
        for entry in of(ledger, sort):
            row = rows[entry.place]
            assert entry.sources == tuple(sorted(key for (key,) in row["sources"]))
            assert entry.is_signed is not row["needs_clinical_sign_off"]


def test_the_shares_of_conditions_and_questions_add_up_to_the_whole(
    ledger: Ledger, document: Document
) -> None:
    whole = ledger.share()

    bases = Counter(row["basis"] for row in document["likelihoods"])
    bases += Counter(row["basis"] for row in document["syndrome_chances"])
    bases += Counter(row["basis"] for row in document["syndrome_members"])
    bases += Counter(r["prior_basis"] for r in document["conditions"] if r["prior_basis"])
    assert (whole.study, whole.guideline, whole.estimate) == (
        bases["study"],
        bases["guideline"],
        bases["estimate"],
    )
    # A sign of a syndrome is mostly of no one condition; priors and chances are of no question.
    general = sum(not entry.condition for entry in of(ledger, Sort.MEMBER))
    assert sum(share.total for share in ledger.by_condition()) == whole.total - general
    asked = of(ledger, Sort.LIKELIHOOD) + of(ledger, Sort.MEMBER)
    assert sum(share.total for share in ledger.by_feature()) == len(asked)


def test_the_ledger_takes_the_same_queries_however_many_numbers_there_are(topic: Topic) -> None:
    with CaptureQueriesContext(connection) as many:
        ledger_of(topic)
    Likelihood.objects.filter(condition__topic=topic).exclude(condition__key="lipoma").delete()
    with CaptureQueriesContext(connection) as few:
        ledger_of(topic)

    assert len(many) == len(few) <= 16


# Who looked at it


def test_a_review_of_a_condition_covers_all_of_its_numbers(topic: Topic) -> None:
    review(topic, "conditions/lipoma", on=TODAY - timedelta(30), due=TODAY + timedelta(300))

    stands = {
        (entry.sort, entry.review(TODAY))
        for entry in ledger_of(topic).entries
        if entry.place == "conditions/lipoma"
    }

    assert stands == {
        (sort, ReviewState.IN_TIME) for sort in (Sort.PRIOR, Sort.LIKELIHOOD, Sort.THRESHOLD)
    }


def test_the_latest_review_counts_and_all_reviewers_are_named(topic: Topic) -> None:
    review(topic, "red_flags/rf_fever", on=date(2024, 1, 1), due=date(2025, 1, 1), by="A. Lind")
    review(topic, "red_flags/rf_fever", on=date(2026, 1, 1), due=date(2027, 1, 1), by="B. Roth")

    (entry,) = (e for e in ledger_of(topic).entries if e.place == "red_flags/rf_fever")

    assert entry.review(TODAY) is ReviewState.IN_TIME
    assert entry.standing is not None
    assert entry.standing.reviewers == ("B. Roth", "A. Lind")


def test_a_review_is_overdue_from_the_day_after_it_was_due(topic: Topic) -> None:
    review(topic, "red_flags/rf_fever", on=date(2026, 1, 1), due=TODAY)

    standing = standings_of(topic)["red_flags/rf_fever"]

    assert not standing.is_overdue(TODAY)
    assert standing.is_overdue(TODAY + timedelta(1))


def test_what_was_changed_after_it_was_looked_at_says_so(topic: Topic, author: User) -> None:
    today = timezone.localdate()
    for place in ("conditions/lipoma", "conditions/shingles", "red_flags/rf_fever"):
        review(topic, place, on=today - timedelta(1), due=today + timedelta(365))
    review(topic, "features/fever", on=today, due=today + timedelta(365))
    with changing(who=author, why="A study."):
        row = topic.conditions.get(key="lipoma").likelihoods.earliest("pk")
        Likelihood.objects.filter(pk=row.pk).update(note="Counted again.")
        topic.red_flags.filter(key="rf_fever").update(why_clinician="Meant to catch sepsis.")
        topic.features.filter(key="fever").update(help_text="Looked at on the same day.")

    stands = {place: review_of(standing, today) for place, standing in standings_of(topic).items()}

    assert stands == {
        "conditions/lipoma": ReviewState.CHANGED,
        "conditions/shingles": ReviewState.IN_TIME,
        "red_flags/rf_fever": ReviewState.CHANGED,
        "features/fever": ReviewState.IN_TIME,
    }


def test_everything_that_can_be_reviewed_has_a_place_and_a_name(
    topic: Topic, document: Document
) -> None:
    places = [row.place for row in reviewables_of(topic)]

    assert len(places) == len(set(places))
    wanted = {
        f"{part}/{row['key']}"
        for part in ("conditions", "features", "red_flags", "risk_groups", "syndromes")
        for row in document[part]
    } | {f"advice/{row['scope']}/{row['key']}" for row in document["advice"]}
    assert set(places) == wanted
    assert all(row.name for row in reviewables_of(topic))


def test_the_reviews_of_a_row_come_the_latest_first(topic: Topic) -> None:
    lipoma = topic.conditions.get(key="lipoma")
    old = review(topic, place_of_row(lipoma), on=date(2024, 1, 1), due=date(2025, 1, 1))
    new = review(topic, place_of_row(lipoma), on=date(2026, 1, 1), due=date(2027, 1, 1))
    review(topic, "conditions/shingles", on=date(2026, 1, 1), due=date(2027, 1, 1))

    assert reviews_of(topic, "conditions/lipoma") == [new, old]


# What somebody looks for


@pytest.mark.parametrize(
    ("wanted", "fits"),
    [
        (Wanted(), lambda e: True),
        (Wanted(sort=Sort.RULE), lambda e: e.sort == Sort.RULE),
        (Wanted(condition="lipoma"), lambda e: e.condition == "lipoma"),
        (Wanted(feature="fever", basis="study"), lambda e: e.feature == "fever" and e.basis == "study"),
        (Wanted(basis=NO_BASIS), lambda e: e.basis == ""),
        (Wanted(source="jdd2021"), lambda e: "jdd2021" in e.sources),
        (Wanted(source=NO_SOURCE), lambda e: not e.sources),
        (Wanted(standing=ReviewState.NEVER), lambda e: e.standing is None),
        (Wanted(standing=UNSIGNED), lambda e: e.is_signed is False),
    ],
)  # fmt: skip
def test_what_is_found_is_what_fits(ledger: Ledger, wanted: Wanted, fits) -> None:  # type: ignore[no-untyped-def] # a condition in one line
    entries = found(ledger.entries, wanted, TODAY)

    assert entries
    assert entries == [entry for entry in ledger.entries if fits(entry)]


def test_overdue_is_found(topic: Topic) -> None:
    review(topic, "red_flags/rf_fever", on=date(2024, 1, 1), due=date(2025, 1, 1))

    entries = found(ledger_of(topic).entries, Wanted(standing=ReviewState.OVERDUE), TODAY)

    assert [entry.place for entry in entries] == ["red_flags/rf_fever"]


# The pages


def test_the_page_says_what_the_numbers_rest_on_and_what_is_overdue(
    staff: Client, topic: Topic
) -> None:
    whole = ledger_of(topic).share()
    today = timezone.localdate()
    review(topic, "red_flags/rf_fever", on=date(2024, 1, 1), due=date(2025, 1, 1))
    review(topic, "conditions/lipoma", on=today - timedelta(9), due=today + timedelta(9))
    review(topic, "conditions/shingles", on=today, due=today + timedelta(9))
    topic.conditions.filter(key="lipoma").update(target_time="within 3 months")

    page = staff.get(HERE).text

    for label in ("What", "Condition", "Question", "Basis", "Source", "Review"):
        assert f">{label}:</label>" in page
    assert f"{whole.total} numbers: {whole.study} from studies" in page
    assert "Fever with a painful lump: due 1 January 2025, last reviewed 1 January 2024" in page
    assert "Fatty lump: changed " in page
    assert "Shingles: " not in page.split("To be reviewed again")[1].split("</ul>")[0]
    assert f"/staff/content/review/add/?topic={topic.pk}&amp;place=red_flags%2Frf_fever" in page


def test_a_page_holds_a_hundred_and_links_each_to_its_field(staff: Client, topic: Topic) -> None:
    page = staff.get(HERE, {"sort": "likelihood", "condition": "lipoma", "feature": "fever"}).text

    rows = Likelihood.objects.filter(condition__key="lipoma", option__feature__key="fever")
    for pk in rows.values_list("pk", flat=True):
        assert f"/staff/content/likelihood/{pk}/change/#id_probability" in page
    assert f"{rows.count()} found" in page
    assert staff.get(HERE).text.count('<th scope="row"><a href="/staff/content/') == 100


def test_each_sort_of_entry_leads_to_a_field_that_is_there(client: Client, topic: Topic) -> None:
    client = sign_in(client, User.objects.create_superuser("root"))
    firsts = {entry.sort: entry for entry in reversed(ledger_of(topic).entries)}

    for entry in firsts.values():
        address, _, field = entry.address.partition("#")
        form = client.get(address)
        assert form.status_code == 200, entry
        assert f'id="{field}"' in form.text, entry


def test_the_queries_of_the_page_do_not_grow_with_the_topic(staff: Client, topic: Topic) -> None:
    staff.get(HERE)
    with CaptureQueriesContext(connection) as queries:
        staff.get(HERE)

    assert len(queries) <= 35


def test_the_file_for_a_spreadsheet_holds_what_was_looked_for(staff: Client, topic: Topic) -> None:
    first = topic.conditions.get(key="lipoma").likelihoods.earliest("pk")
    Likelihood.objects.filter(pk=first.pk).update(note="=HYPERLINK(1)", probability=0.123)

    page = staff.get(f"{HERE}.csv", {"condition": "lipoma", "sort": "likelihood"})

    assert page.headers["Content-Type"] == "text/csv; charset=utf-8"
    text = page.text
    assert text.startswith("\ufeff")
    rows = list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"))))
    assert len(rows) == topic.conditions.get(key="lipoma").likelihoods.count()
    (changed,) = (row for row in rows if row["value"] == "0.123")
    assert changed["note"] == "'=HYPERLINK(1)"
    assert all(not cell.startswith(("=", "+", "-", "@")) for row in rows for cell in row.values())


def test_an_empty_topic_says_what_to_do_first(staff: Client) -> None:
    empty_topic()

    page = staff.get("/staff/topics/new/evidence").text

    assert "There is no number yet" in page


# Writing down a review


def post(topic: Topic, place: str, **more: str) -> dict[str, str]:
    today = timezone.localdate()
    return {
        "topic": str(topic.pk),
        "place": place,
        "reviewer": "Dr Ruth Amar",
        "reviewed_on": today.isoformat(),
        "due_on": (today + timedelta(365)).isoformat(),
        "note": "",
        "why": "The yearly review.",
        **more,
    }


def test_a_review_is_chosen_from_what_the_topic_has(staff: Client, topic: Topic) -> None:
    form = staff.get(f"/staff/content/review/add/?topic={topic.pk}&place=conditions/lipoma").text

    assert '<option value="conditions/lipoma" selected>Fatty lump</option>' in form
    staff.post("/staff/content/review/add/", post(topic, "conditions/lipoma"))
    assert reviews_of(topic, "conditions/lipoma")[0].reviewer == "Dr Ruth Amar"


def test_a_place_that_is_not_there_is_refused(staff: Client, topic: Topic) -> None:
    page = staff.post("/staff/content/review/add/", post(topic, "conditions/gone"))

    assert page.status_code == 200
    assert not topic.reviews.exists()


def test_a_review_names_a_row_of_its_own_topic(staff: Client, topic: Topic) -> None:
    other = empty_topic()

    page = staff.post("/staff/content/review/add/", post(other, "conditions/lipoma"))

    assert "This is of another topic." in page.text
    assert not other.reviews.exists()


def test_a_review_that_was_written_down_can_be_changed_when_its_place_is_gone(
    staff: Client, topic: Topic
) -> None:
    row = review(topic, "conditions/gone", on=TODAY, due=TODAY + timedelta(30))

    staff.post(f"/staff/content/review/{row.pk}/change/", post(topic, row.place, reviewer="B."))

    row.refresh_from_db()
    assert row.reviewer == "B."


@pytest.mark.parametrize("part", PARTS)
def test_the_page_of_a_row_says_who_reviewed_it(staff: Client, topic: Topic, part: str) -> None:
    model, _ = PARTS[part]
    if part == "risk_groups":
        model._default_manager.create(
            topic=topic, key="cancer", name="A cancer", urgency="few_days", raise_at_percent=3
        )
    row: Any = model._default_manager.earliest("pk")
    review(topic, place_of_row(row), on=date(2024, 1, 1), due=date(2025, 1, 1), by="A. Lind")
    review(topic, place_of_row(row), on=date(2023, 1, 1), due=date(2024, 1, 1), by="B. Roth")

    page = staff.get(f"/staff/content/{model._meta.model_name}/{row.pk}/change/").text

    assert "A. Lind: overdue since 1 Jan 2025" in page
    assert "B. Roth</li>" in page
    place = place_of_row(row).replace("/", "%2F")
    assert f"/staff/content/review/add/?topic={topic.pk}&amp;place={place}" in page


def test_who_may_not_write_reviews_cannot(client: Client, topic: Topic) -> None:
    auditor = User.objects.get(username="demo-auditor")

    page = sign_in(client, auditor).post(
        "/staff/content/review/add/", post(topic, "conditions/lipoma")
    )

    assert page.status_code == 403
    assert not topic.reviews.exists()
