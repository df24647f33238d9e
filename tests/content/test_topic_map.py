"""The map and the matrix: what leads to what, drawn and in words."""

import re
from collections.abc import Iterator
from copy import deepcopy
from itertools import pairwise
from xml.etree import ElementTree

import numpy as np
import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tests.staff.people import sign_in
from triage.content.choices import Urgency
from triage.content.documents import Document, canonical, compile_release
from triage.content.fixtures import document_of
from triage.content.knowledge import knowledge_from
from triage.content.map_drawing import drawn
from triage.content.matrix import SHADES, Matrix, matrix_of, shade_of
from triage.content.models import Effect, Topic
from triage.content.snapshots import snapshot_of
from triage.content.topic_map import (
    LEAST_TOLD,
    MOST_TOLD,
    Flag,
    Named,
    Place,
    TopicMap,
    around,
    map_of,
    order_of,
    overview,
)
from triage.engine import ConditionKey, FeatureKey, Knowledge, discrimination
from triage.evaluation.asking import Asked, asked_of

FOLDER = settings.BASE_DIR / "fixtures" / "back-lump"
SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def document() -> Document:
    return document_of(FOLDER)


@pytest.fixture(scope="module")
def whole(document: Document, shipped: Knowledge) -> TopicMap:
    return map_of(document, shipped, asked_of(shipped, np.random.default_rng(1), 20))


def flag(topic_map: TopicMap, key: str) -> Flag:
    return next(flag for flag in topic_map.flags if flag.key == key)


def addresses_of(document: Document) -> dict[Place, str]:
    return {
        (part, row["key"]): f"/{part}/{row['key']}?a=1&b=2"
        for part in ("features", "red_flags", "conditions")
        for row in document[part]
    }


# What the rules read


def test_a_rule_reads_what_it_names_and_says_it_in_words(whole: TopicMap) -> None:
    fever = next(n for n in flag(whole, "rf_fever").needs if n.feature == "fever")
    general = next(n for n in flag(whole, "rf_fever").needs if n.feature == "general_signs")

    # fever == 'yes' or (fever == 'not_sure' and 'unwell' in general_signs)
    assert fever.sentences == ("Fever is “Yes”", "Fever is “Not sure”")
    assert fever.answers == (Named("Yes", True), Named("Not sure", False))
    assert general.answers == (Named("Feeling ill all over", False),)
    assert not general.is_enough


def test_what_a_rule_wants_not_to_hold_is_said_so(whole: TopicMap) -> None:
    cancer = flag(whole, "rf_cancer_history")
    spot = next(need for need in cancer.needs if need.feature == "sore_spot")

    assert spot.sentences == (
        "Where it is most sore is not “Only the lump itself, or the skin there”",
    )


def test_a_number_is_enough_where_one_in_its_range_is(document: Document) -> None:
    changed = deepcopy(document)
    row = next(row for row in changed["red_flags"] if row["key"] == "rf_fever")
    row["rule"] = "pain_severity >= 9 or (pain_severity >= 5 and fever == 'yes')"

    pain = flag(map_of(changed, None, {}), "rf_fever").needs[0]

    # 9 and 10 are among the numbers from 5 on.
    assert pain.answers == (Named("9 or more", True), Named("5 or more", True))


def test_of_a_rule_that_holds_of_nobody_known_no_answer_is_enough(document: Document) -> None:
    changed = deepcopy(document)
    row = next(row for row in changed["red_flags"] if row["key"] == "rf_fever")
    row["rule"] = "fever != 'no' or hot_to_touch == 'yes'"

    fever, heat = flag(map_of(changed, None, {}), "rf_fever").needs

    assert not fever.is_enough
    assert not heat.is_enough


def test_a_rule_that_is_half_written_reads_what_can_be_read(document: Document) -> None:
    changed = deepcopy(document)
    for row in changed["red_flags"]:
        if row["key"] == "rf_fever":
            row["rule"] = "fever == 'yes' or gone == 'yes' or fever == 'gone'"
        if row["key"] == "rf_fast_swelling":
            row["rule"] = "lump_change =="

    drafts = map_of(changed, None, {})

    assert [need.feature for need in flag(drafts, "rf_fever").needs] == ["fever"]
    assert flag(drafts, "rf_fast_swelling").needs == ()


def test_every_rule_of_the_shipped_topic_reads_just_what_the_engine_reads(
    whole: TopicMap, shipped: Knowledge
) -> None:
    names = {rule.key: set(shipped.reads[rule.key]) for rule in shipped.rules}
    # The engine also waits for what opens a question.
    gates = {f.key for f in shipped.features if any(f.key in r for r in names.values())}

    for each in whole.flags:
        read = {need.feature for need in each.needs}
        assert read <= names[each.key], each.key  # type: ignore[index] # a key is a text
        assert names[each.key] - read <= gates, each.key  # type: ignore[index] # as above


# What the questions tell


def test_conditions_are_told_by_what_discriminates_most(
    whole: TopicMap, shipped: Knowledge
) -> None:
    table = discrimination(shipped)
    keys = [condition.key for condition in shipped.conditions]

    for shown in overview(whole).conditions:
        if shown.prior_percent is None:
            continue
        column = table[:, keys.index(ConditionKey(shown.key))]
        best = sorted(column, reverse=True)[:MOST_TOLD]
        told = [telling.nats for telling in shown.told_by]
        assert told == pytest.approx([nats for nats in best if nats >= LEAST_TOLD])
        for telling in shown.told_by:
            assert column[shipped.place[FeatureKey(telling.feature)]] == pytest.approx(telling.nats)


def test_a_state_is_told_by_nothing(whole: TopicMap) -> None:
    state = next(condition for condition in whole.conditions if condition.prior_percent is None)

    assert state.key == "cord_cauda_compression"
    assert state.told_by == ()


def test_without_knowledge_the_questions_stand_as_in_the_content(document: Document) -> None:
    drafts = map_of(document, None, {})

    assert [q.key for q in drafts.features][:3] == ["right_now", "bladder_saddle", "leg_nerves"]
    assert all(q.asked is None for q in drafts.features)
    assert all(condition.told_by == () for condition in drafts.conditions)


def test_questions_stand_as_they_are_asked_and_those_never_asked_last(document: Document) -> None:
    asked = {
        FeatureKey("fever"): Asked(share=1.0, place=1.0),
        FeatureKey("age"): Asked(share=0.5, place=2.0),
    }

    keys = [feature.key for feature in map_of(document, None, asked).features]

    assert keys[:3] == ["fever", "age", "right_now"]
    assert len(keys) == len(document["features"])


def test_rules_and_conditions_stand_from_the_most_urgent(whole: TopicMap) -> None:
    scale = Urgency.values
    for rows in (whole.flags, whole.conditions):
        urgencies = [scale.index(row.urgency) for row in rows]
        assert urgencies == sorted(urgencies, reverse=True)


# A part of it


def test_around_a_rule_stands_what_it_reads(whole: TopicMap) -> None:
    part = around(whole, ("red_flags", "rf_fever"))

    assert part is not None
    assert [each.key for each in part.flags] == ["rf_fever"]
    assert {feature.key for feature in part.features} == {"fever", "general_signs"}
    assert part.conditions == ()


def test_around_a_question_stand_the_rules_that_read_it_and_what_it_tells(whole: TopicMap) -> None:
    part = around(whole, ("features", "fever"))

    assert part is not None
    assert {each.key for each in part.flags} == {
        each.key for each in whole.flags if any(need.feature == "fever" for need in each.needs)
    }
    assert "spinal_epidural_abscess" in {condition.key for condition in part.conditions}
    assert "lipoma" not in {condition.key for condition in part.conditions}


def test_around_a_condition_stands_what_tells_of_it(whole: TopicMap) -> None:
    part = around(whole, ("conditions", "shingles"))

    assert part is not None
    assert [condition.key for condition in part.conditions] == ["shingles"]
    assert "skin_look" in {feature.key for feature in part.features}


@pytest.mark.parametrize("place", [("features", "gone"), ("red_flags", "gone"), ("x", "fever")])
def test_around_what_is_not_there_stands_nothing(whole: TopicMap, place: Place) -> None:
    assert around(whole, place) is None


# The picture


def parts(svg: str, name: str) -> Iterator[ElementTree.Element]:
    return ElementTree.fromstring(svg).iter(f"{SVG}{name}")


def test_everything_on_the_picture_is_a_link_that_says_what_it_is(
    whole: TopicMap, document: Document
) -> None:
    svg = drawn(overview(whole), addresses_of(document))

    links = {link.get("href"): link.get("aria-label", "") for link in parts(svg, "a")}
    assert set(links) == set(addresses_of(document).values())
    fired = flag(whole, "rf_sepsis")
    assert links["/red_flags/rf_sepsis?a=1&b=2"] == f"Emergency, now: {fired.title}"


def test_each_line_is_drawn_from_both_of_its_ends(whole: TopicMap, document: Document) -> None:
    shown = overview(whole)
    count = sum(len(f.needs) for f in shown.flags) + sum(len(c.told_by) for c in shown.conditions)

    kinds = [path.get("class", "") for path in parts(drawn(shown, {}), "path")]

    assert len(kinds) == 2 * count
    assert sum("map-echo" in kind for kind in kinds) == count


def test_the_picture_has_a_name_a_description_and_neither_script_nor_style(
    whole: TopicMap,
) -> None:
    svg = drawn(overview(whole), {})

    root = ElementTree.fromstring(svg)
    ids = {each.get("id"): each.text for each in root.iter() if each.get("id")}
    assert (
        ids[root.get("aria-labelledby")]
        == "The map of “Painful lump on the spine in the middle of the back”"
    )
    assert "32 rules" in str(ids[root.get("aria-describedby")])
    assert not re.search(r"<script|<style|\sstyle=|\son\w+=", svg)


def test_texts_of_staff_cannot_break_out_of_the_picture(document: Document) -> None:
    changed = deepcopy(document)
    changed["features"][0]["name"] = '<script>"&'
    changed["topic"]["title"] = "</title><script>"

    svg = drawn(map_of(changed, None, {}), {("features", changed["features"][0]["key"]): '"><x'})

    ElementTree.fromstring(svg)
    assert "<script" not in svg
    assert "<x" not in svg


def test_a_map_of_one_rule_leads_to_each_answer_that_it_names(whole: TopicMap) -> None:
    part = around(whole, ("red_flags", "rf_fever"))
    assert part is not None

    svg = drawn(part, {}, with_answers=True)

    texts = {text.text for text in parts(svg, "text")}
    assert {"· Yes", "· Not sure", "· Feeling ill all over"} <= texts
    ends = {path.get("d", "").rsplit(" ", 1)[1] for path in parts(svg, "path")}
    assert len(ends) == 3


def test_things_of_a_column_never_lie_over_each_other(whole: TopicMap) -> None:
    for shown, with_answers in (
        (overview(whole), False),
        (around(whole, ("features", "injury")), True),
    ):
        assert shown is not None
        boxes: dict[str, list[tuple[float, float]]] = {}
        for rect in parts(drawn(shown, {}, with_answers=with_answers), "rect"):
            if rect.get("class") == "map-box":
                top, height = float(rect.get("y", 0)), float(rect.get("height", 0))
                boxes.setdefault(rect.get("x", ""), []).append((top, top + height))
        assert len(boxes) == 3
        for column in boxes.values():
            column.sort()
            assert all(end < start for (_, end), (start, _) in pairwise(column))


# The matrix


@pytest.fixture(scope="module")
def matrix(shipped: Knowledge) -> Matrix:
    return matrix_of(shipped)


def test_the_matrix_has_every_cell_and_its_sums(matrix: Matrix, shipped: Knowledge) -> None:
    table = discrimination(shipped)
    priors = [condition.prior for condition in shipped.conditions]

    assert len(matrix.rows) == len(shipped.features)
    for row in matrix.rows:
        cells = table[shipped.place[FeatureKey(row.feature)]]
        assert [cell.nats for cell in row.cells] == pytest.approx(list(cells))
        assert row.mean == pytest.approx(sum(p * n for p, n in zip(priors, cells, strict=True)))
    means = [row.mean for row in matrix.rows]
    assert means == sorted(means, reverse=True)


def test_a_shade_begins_at_its_number() -> None:
    assert [shade_of(nats) for nats in (0.0, 0.099, *SHADES, 9.0)] == [0, 0, 1, 2, 3, 4, 4]


def test_look_alikes_that_a_clinician_would_name_are_hardest_to_tell_apart(matrix: Matrix) -> None:
    pairs = [{pair.one, pair.other} for pair in matrix.pairs]

    assert {"spinal_metastasis", "myeloma"} in pairs
    assert {"epidermoid_cyst", "lipoma"} in pairs
    hardest = [pair.wrong[1] for pair in matrix.pairs]
    assert hardest == sorted(hardest, reverse=True)
    assert all(pair.wrong[0] <= pair.wrong[1] <= 50 for pair in matrix.pairs)
    assert (
        next(
            p for p in matrix.pairs if {p.one, p.other} == {"spinal_metastasis", "myeloma"}
        ).telling[0]
        == "cancer_history"
    )


# The pages


@pytest.fixture
def staff(client: Client, author: User) -> Client:
    return sign_in(client, author)


def test_the_order_rests_on_the_effect_once_it_was_measured(topic: Topic) -> None:
    document = compile_release(topic)
    knowledge = knowledge_from(document)
    snapshot = snapshot_of(topic)
    quick = order_of(topic, document, knowledge)
    Effect.objects.create(
        draft=snapshot,
        cases_sha256="0" * 64,
        figures={
            "people": {"count": 3000},
            "asked": {
                "fever": {"share": 0.9, "place": 2.0},
                "age": {"share": 1.0, "place": 1.0},
                "sex": {"share": 0.0, "place": 0.0},
            },
        },
    )

    measured = order_of(topic, document, knowledge)

    assert not quick.is_measured
    assert quick.people == 100
    assert list(measured.asked) == ["age", "fever"]
    assert measured.is_measured
    assert measured.people == 3000


def test_the_effect_of_other_drafts_does_not_count(topic: Topic) -> None:
    snapshot = snapshot_of(topic)
    Effect.objects.create(
        draft=snapshot, cases_sha256="0" * 64, figures={"asked": {}, "people": {"count": 1}}
    )
    topic.features.filter(key="fever").update(name="High temperature")
    document = compile_release(topic)

    assert canonical(document) != snapshot.document.encode()
    assert not order_of(topic, document, knowledge_from(document)).is_measured


def test_every_link_of_the_map_leads_somewhere(staff: Client, topic: Topic) -> None:
    page = staff.get("/staff/topics/back-lump/map")

    assert page.status_code == 200
    svg = re.search(r"<svg [^>]*class=\"map\".*?</svg>", page.text, re.S)
    assert svg
    addresses = {str(link.get("href")) for link in parts(svg[0], "a")}
    known = {
        f"/staff/content/{model}/{pk}/change/"
        for model, rows in (
            ("feature", topic.features),
            ("redflag", topic.red_flags),
            ("condition", topic.conditions),
        )
        for pk in rows.values_list("pk", flat=True)
    }
    assert addresses == known
    # In words there is the same, once more.
    assert all(page.text.count(f'"{address}"') >= 2 for address in known)


def test_the_map_of_one_question_shows_it_and_the_way_back(staff: Client) -> None:
    page = staff.get("/staff/topics/back-lump/map?of=features/fever")

    assert "Show everything" in page.text
    assert "· Not sure" in page.text
    assert "Thin bones" not in page.text.split('id="in-words"')[1]


def test_an_unknown_question_shows_the_whole_map(staff: Client) -> None:
    page = staff.get("/staff/topics/back-lump/map?of=features/gone")

    assert page.status_code == 200
    assert "Show everything" not in page.text


@pytest.mark.parametrize("name", ["map", "matrix"])
def test_the_queries_of_a_page_do_not_grow_with_the_topic(
    staff: Client, topic: Topic, name: str
) -> None:
    address = f"/staff/topics/back-lump/{name}"
    staff.get(address)
    with CaptureQueriesContext(connection) as queries:
        staff.get(address)

    assert len(queries) <= 45


@pytest.mark.parametrize("name", ["map", "matrix"])
def test_an_empty_topic_says_what_to_do_first(staff: Client, name: str) -> None:
    Topic.objects.create(
        key="new", title="New", covers="", usual_questions_low=1, usual_questions_high=2,
        temper=1, slip=0.02, gain_stop=0.05, lead_stop=0.8, spread_estimate=0.2,
        spread_guideline=0.2, spread_study=0.2, document_paragraph="added",
    )  # fmt: skip

    page = staff.get(f"/staff/topics/new/{name}")

    assert page.status_code == 200
    assert "desk-first" in page.text
    assert "/add/?topic=" in page.text


@pytest.mark.parametrize("name", ["map", "matrix"])
def test_drafts_that_contradict_themselves_say_so_and_show_what_is_left(
    staff: Client, topic: Topic, name: str
) -> None:
    topic.conditions.filter(key="lipoma").update(prior_percent=50)

    page = staff.get(f"/staff/topics/back-lump/{name}")

    assert "cannot be reasoned with" in page.text
    assert "/staff/topics/back-lump/faults" in page.text


def test_the_matrix_shows_each_number_with_its_shade(staff: Client, shipped: Knowledge) -> None:
    page = staff.get("/staff/topics/back-lump/matrix")

    cells = re.findall(r'class="shade-(\d)" title="[^"]+">([\d.]+)<', page.text)
    table = discrimination(shipped)
    assert len(cells) == table.size
    assert sorted(shade for shade, _ in cells) == sorted(
        str(shade_of(nats)) for nats in table.flatten()
    )


def test_who_may_not_see_the_topic_does_not(client: Client, topic: Topic) -> None:
    nobody = User.objects.create_user("nobody", is_staff=True)

    page = sign_in(client, nobody).get("/staff/topics/back-lump/map")

    assert page.status_code == 403
