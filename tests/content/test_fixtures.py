"""The shipped content: all of it is there, and the database gives back what the fixtures say."""

import json
from collections import Counter
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from triage.content.documents import compile_release
from triage.content.fixtures import FILES, UnfitFixture, document_of, load_topic, topic_folders
from triage.content.models import (
    Advice,
    Condition,
    Feature,
    Likelihood,
    Option,
    Source,
    SyndromeMember,
    Topic,
)

FOLDER = settings.BASE_DIR / "fixtures" / "back-lump"
HOW_MANY = {
    "topic": 1,
    "sources": 86,
    "conditions": 23,
    "features": 36,
    "options": 203,
    "likelihoods": 3278,
    "syndromes": 6,
    "syndrome_chances": 132,
    "syndrome_members": 108,
    "red_flags": 32,
    "risk_groups": 0,
    "advice": 30,
    "glossary": 37,
    "translations": 901,
    "calibration_studies": 0,
    "reviews": 0,
}


def test_nothing_of_the_clinical_tables_is_dropped() -> None:
    document = document_of(FOLDER)

    counts = {name: len(rows) for name, rows in document.items() if name != "topic"}

    assert counts == {name: count for name, count in HOW_MANY.items() if name != "topic"}
    assert Counter(row["basis"] for row in document["likelihoods"]) == {
        "study": 19,
        "guideline": 205,
        "estimate": 3054,
    }
    assert Counter(row["kind"] for row in document["red_flags"]) == {
        "red_flag": 30,
        "scope": 1,
        "floor": 1,
    }
    assert sum(row["alarm"] for row in document["options"]) == 60
    assert sum(row["kind"] == "ranked" for row in document["conditions"]) == 22


def test_each_line_is_one_fact_and_the_lines_are_sorted() -> None:
    for name, model in FILES.items():
        file = FOLDER / f"{name}.jsonl"
        if not file.exists():
            assert HOW_MANY[name] == 0
            continue
        lines = [json.loads(line) for line in file.read_text().splitlines()]
        keys = [natural_key_of(line["fields"]) for line in lines]

        assert {line["model"] for line in lines} == {model._meta.label_lower}
        assert keys == sorted(set(keys)), f"{name} is not sorted, or has a row twice"


def natural_key_of(fields: dict[str, object]) -> tuple[object, ...]:
    """Return the words a line is found by: the same as `natural_key` of its row."""
    names = ["topic", "syndrome", "condition", "feature", "option", "scope", "key", "term"]
    names += ["language", "place"]
    if "syndrome" in fields and "option" in fields:  # there the condition may be left open
        names = ["syndrome", "option", "condition"]
    parts = [fields[name] for name in names if fields.get(name) is not None]
    return tuple(word for part in parts for word in (part if isinstance(part, list) else [part]))


def test_the_database_gives_back_every_line_of_the_fixtures(topic: Topic) -> None:
    compiled = json.loads(json.dumps(compile_release(topic)))

    assert compiled == document_of(FOLDER)


def test_djangos_own_loaddata_reads_the_fixtures_too(topic: Topic) -> None:
    names = ("topic", "sources", "conditions", "advice", "syndromes", "syndrome_members")
    files = [str(FOLDER / f"{name}.jsonl") for name in names]
    Advice.objects.all().delete()
    SyndromeMember.objects.filter(syndrome__key="ill_all_over").delete()

    call_command("loaddata", *files, verbosity=0)

    assert Advice.objects.count() == HOW_MANY["advice"]
    assert SyndromeMember.objects.count() == HOW_MANY["syndrome_members"]


def test_loading_again_changes_nothing_that_staff_have_edited(topic: Topic) -> None:
    Feature.objects.filter(key="fever").update(name="High temperature")
    Option.objects.filter(key="golf_ball").delete()

    loaded = load_topic(FOLDER)

    assert not loaded
    assert Feature.objects.get(key="fever").name == "High temperature"
    assert not Option.objects.filter(key="golf_ball").exists()


def test_replacing_throws_the_drafts_away_and_keeps_the_releases(topic: Topic) -> None:
    Feature.objects.filter(key="fever").update(name="High temperature")
    Source.objects.filter(key="nice_ng12").update(year="1900")
    Topic.objects.update(temper=1)
    Condition.objects.filter(key="lipoma").delete()
    releases = topic.releases.count()

    loaded = load_topic(FOLDER, replace=True)

    assert loaded
    assert json.loads(json.dumps(compile_release(Topic.objects.get()))) == document_of(FOLDER)
    assert topic.releases.count() == releases


def test_loading_a_topic_takes_few_queries_however_many_rows_it_has(topic: Topic) -> None:
    with CaptureQueriesContext(
        connection,
    ) as queries:
        load_topic(FOLDER, replace=True)

    assert len(queries) < 120, "3,935 rows, inserted in batches"


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("{", "line 1: this is no row"),
        ('{"model": "content.option"}', "line 1: this is no row"),
        ('{"fields": {"colour": "red"}}', "line 1: there is no field “colour”"),
        ('{"fields": {"feature": ["t", "x"]}}', "“feature” names ('t', 'x'), which is nowhere"),
        ('{"fields": {"order": "first"}}', "line 1: “order”: "),
    ],
)
@pytest.mark.django_db
def test_a_line_that_cannot_be_loaded_is_named(tmp_path: Path, line: str, complaint: str) -> None:
    (tmp_path / "options.jsonl").write_text(line)

    with pytest.raises(UnfitFixture) as unfit:
        load_topic(tmp_path)

    assert "options.jsonl" in str(unfit.value)
    assert complaint in str(unfit.value)


def test_every_shipped_topic_is_found() -> None:
    assert [folder.name for folder in topic_folders()] == ["back-lump"]


def test_a_number_from_a_study_names_it_and_how_many_people_it_counted() -> None:
    studies = [row for row in document_of(FOLDER)["likelihoods"] if row["basis"] == "study"]

    sizes = {(row["source"][0], row["sample_size"]) for row in studies}

    # As the notes and the titles of the sources say.
    assert sizes == {
        ("yusuf2019", 2224),
        ("reihsaus2000", 915),
        ("epidermoid2020", 432),
        ("arko2014", 1099),
        ("wang2023", 668),
        ("harding2005", 482),
    }


def test_every_source_named_is_there_and_every_likelihood_of_a_condition_too(topic: Topic) -> None:
    ranked = Condition.objects.ranked().count()
    scored = Option.objects.filter(scored=True).count()

    assert Likelihood.objects.count() == ranked * scored == HOW_MANY["likelihoods"]
