"""Sentence by sentence: which rows of the content carry the source document."""

import json
import re
from functools import cache

import pytest
from django.conf import settings

from triage.content.documents import Document
from triage.content.fixtures import document_of
from triage.content.models import Release
from triage.content.paragraphs import named_in, paragraphs_of, title_of

FOLDER = settings.BASE_DIR / "fixtures" / "back-lump"
TITLE = "Painful Lump on Spine in Middle of Back Causes"

# What a sentence says (its first words), and the rows that carry it. A row is named by its file
# and key; each of them names the paragraph itself.
CARRIED: dict[str, dict[str, tuple[str, ...]]] = {
    "P1": {
        "A painful lump on the middle of the back along the spine": (
            "topic back-lump",
            "features lump_position",
            "features spine_level",
            "options spine_level between_blades",
        ),
        "The back, especially the mid-spine area, contains various structures": (
            "conditions muscle_spasm",
            "options sore_spot muscle",
            "options lump_position midline",
        ),
        "When a lump develops in this region and is accompanied by pain": (
            "topic back-lump",
            "features pain_severity",
            "features pain_type",
        ),
    },
    "P2": {
        "One common cause of a lump in this area is a benign cyst": ("conditions epidermoid_cyst",),
        "These are usually slow-growing, soft, and may become tender if inflamed": (
            "conditions epidermoid_cyst_inflamed",
            "options lump_change bigger_slow",
            "options lump_feel soft",
            "options pain_type tender",
            "likelihoods epidermoid_cyst lump_feel soft",
            "likelihoods epidermoid_cyst_inflamed lump_feel soft",
        ),
        "Cysts form when a hair follicle or skin gland becomes blocked": (
            "options skin_look black_dot",
            "conditions boil_deep_spot",
        ),
        "When infected, they can cause swelling, redness, and significant discomfort": (
            "options skin_look red",
            "options hot_to_touch yes",
            "options lump_change bigger_days",
            "options pain_severity moderate_4_6",
            "red_flags rf_inflamed_lump",
        ),
        "While benign, they might require drainage or excision": (
            "advice condition epidermoid_cyst_inflamed",
            "red_flags rf_abscess",
        ),
    },
    "P3": {
        "Another possible cause is a lipoma": ("conditions lipoma", "options lump_feel soft"),
        "Lipomas are usually painless but can become painful if they press on nearby nerves": (
            "options pain_severity mild_0_3",
            "options lump_before small_lump_first",
            "options pain_type burning",
            "features tap_shock",
        ),
        "They tend to grow slowly and are often discovered incidentally": (
            "options lump_change bigger_slow",
            "options lump_duration over_1y",
        ),
        "Although generally harmless, larger lipomas might require removal": (
            "advice condition lipoma",
            "options lump_size over_5cm",
            "red_flags rf_big_deep_lump",
        ),
    },
    "P4": {
        "In some cases, the lump could be linked to spinal abnormalities": (
            "conditions degenerative_spine",
            "conditions prominent_bone_curve",
            "options back_shape old_curve",
        ),
        "Conditions such as osteophytes (bone spurs) can develop": (
            "options lump_feel hard",
            "options lump_count row",
            "options pain_type tender",
        ),
        "These are often associated with osteoarthritis or degenerative disc disease": (
            "conditions degenerative_spine",
            "options stiffness after_rest",
        ),
        "Such growths can irritate surrounding tissues or compress nerves": (
            "options pain_spread stays",
            "options pain_spread round_one_side",
            "options pain_spread down_leg",
            "options leg_nerves numb_legs",
            "red_flags rf_cord_legs",
        ),
    },
    "P5": {
        "Infections are another significant cause": (
            "conditions vertebral_osteomyelitis",
            "features infection_risk",
            "features recent_events",
        ),
        "Spinal epidural abscesses or infected hematomas can produce painful swelling": (
            "conditions spinal_epidural_abscess",
            "conditions infected_haematoma",
            "options lump_change bigger_days",
            "options lump_feel squashy",
        ),
        "These conditions are serious and often accompanied by systemic symptoms": (
            "options fever yes",
            "options general_signs unwell",
            "options leg_nerves weak_legs",
            "features bladder_saddle",
            "conditions cord_cauda_compression",
            "red_flags rf_cauda_equina",
        ),
        "Prompt medical attention is vital as infections can rapidly progress": (
            "red_flags rf_spine_infection",
            "red_flags rf_fever",
            "red_flags rf_sepsis",
            "options skin_look spreading",
            "options pain_course worse",
            "advice urgency emergency_now",
            "advice condition spinal_epidural_abscess",
            "advice condition infected_haematoma",
        ),
    },
    "P6": {
        "Less commonly, tumors—both benign and malignant—can present as a lump": (
            "conditions benign_bone_tumour",
            "conditions soft_tissue_sarcoma",
            "options lump_change bigger_weeks",
            "red_flags rf_growing_lump",
        ),
        "Conditions like osteosarcoma or metastatic cancer may manifest as a hard, painful": (
            "conditions primary_bone_cancer",
            "conditions spinal_metastasis",
            "options lump_feel hard",
            "options lump_moves fixed",
            "options cancer_history yes",
            "red_flags rf_hard_fixed",
            "red_flags rf_cancer_history",
        ),
        "These require thorough evaluation, often including imaging studies and biopsy": (
            "advice condition benign_bone_tumour",
            "advice condition primary_bone_cancer",
            "advice condition spinal_metastasis",
            "red_flags rf_lasting_deep_pain",
        ),
    },
    "P7": {
        "Trauma is also a frequent contributor": ("features injury", "options injury low_fall"),
        "A direct blow or injury to the back can cause hematomas or localized swelling": (
            "conditions haematoma_contusion",
            "options injury blow",
            "options skin_look bruise",
            "options lump_change bigger_hours",
            "red_flags rf_fast_swelling",
        ),
        "If the injury damages underlying tissues or bones, pain and swelling can persist": (
            "conditions traumatic_fracture",
            "options pain_duration weeks_2_6",
            "options lump_duration weeks_2_6",
            "red_flags rf_possible_fracture",
            "red_flags rf_big_injury",
            "advice condition traumatic_fracture",
            "advice condition haematoma_contusion",
        ),
    },
    "P8": {
        "When experiencing a painful lump on the middle of the back, it is essential": (
            "features lump_size",
            "features lump_feel",
            "features sore_spot",
            "options lump_size walnut",
            "options pain_when press",
        ),
        "Consulting a healthcare professional is advised for an accurate diagnosis": (
            "red_flags floor_see_gp",
            "advice floor floor_see_gp",
        ),
        "They may perform physical examinations, imaging tests like X-rays": (
            "advice urgency routine",
        ),
        "Treatment varies depending on the cause, ranging from conservative management": (
            "advice urgency self_care",
            "options eases anti_inflammatory",
        ),
    },
    "P9": {
        "In summary, a painful lump on the middle of the back can stem from": ("topic back-lump",),
        "Early diagnosis and appropriate intervention are crucial": ("topic back-lump",),
    },
}


@cache
def content() -> Document:
    return document_of(FOLDER)


@cache
def paragraphs() -> dict[str, str]:
    return paragraphs_of(content()["topic"]["source_document"])


@cache
def paragraph_of_rows() -> dict[str, str]:
    """What each row says of its place in the document, by file and key."""
    found = {f"topic {content()['topic']['key']}": content()["topic"]["document_paragraph"]}
    for part in ("conditions", "features", "red_flags", "syndromes"):
        found |= {f"{part} {row['key']}": row["document_paragraph"] for row in content()[part]}
    for row in content()["options"]:
        found[f"options {row['feature'][1]} {row['key']}"] = row["document_paragraph"]
    for row in content()["advice"]:
        found[f"advice {row['scope']} {row['key']}"] = row["document_paragraph"]
    for row in content()["likelihoods"]:
        keys = (row["condition"][1], *row["option"][1:])
        found[f"likelihoods {' '.join(keys)}"] = row["document_paragraph"]
    return found


def test_the_document_has_nine_paragraphs() -> None:
    assert list(paragraphs()) == list(CARRIED)
    assert title_of(content()["topic"]["source_document"]) == TITLE


def test_a_release_carries_the_document_as_it_was_written(release: Release) -> None:
    frozen = json.loads(Release.objects.get(pk=release.pk).document)

    text = (FOLDER / "source-document.txt").read_text(encoding="utf-8")
    assert frozen["topic"]["source_document"] == text


def test_a_paragraph_broken_inside_a_word_is_one() -> None:
    assert "malaise, or neurological deficits" in paragraphs()["P5"]


def test_the_title_that_stands_between_the_paragraphs_is_no_part_of_them() -> None:
    assert paragraphs()["P2"].startswith("One common cause of a lump in this area is")
    assert paragraphs()["P3"].startswith("Another possible cause is a lipoma")
    assert paragraphs()["P4"].endswith("sometimes radiating symptoms.")
    assert not [text for text in paragraphs().values() if TITLE in text]


def test_a_document_without_a_word_has_no_paragraph() -> None:
    assert title_of("") == ""
    assert paragraphs_of("") == {}
    assert paragraphs_of("A title") == {}


def test_paragraphs_are_named_once_each_and_in_order() -> None:
    assert named_in("added (P5, P2 and P5 mention it)") == ["P5", "P2"]
    assert named_in("added") == []


@pytest.mark.parametrize("paragraph", CARRIED)
def test_every_sentence_of_the_paragraph_is_carried_by_rows_that_name_it(paragraph: str) -> None:
    sentences = re.split(r"(?<=[.])\s+", paragraphs()[paragraph])

    for sentence in sentences:
        carried = [rows for words, rows in CARRIED[paragraph].items() if sentence.startswith(words)]
        assert len(carried) == 1, f"nothing is said to carry {paragraph}: “{sentence}”"
        for row in carried[0]:
            assert row in paragraph_of_rows(), f"{row}, said to carry {paragraph}, is gone"
            assert paragraph in named_in(paragraph_of_rows()[row]), f"{row} names no {paragraph}"
    assert len(CARRIED[paragraph]) == len(sentences)


def test_rows_name_no_paragraph_that_the_document_lacks() -> None:
    for row, text in paragraph_of_rows().items():
        assert set(named_in(text)) <= set(paragraphs()), f"{row} names {text}"


def test_every_row_but_a_likelihood_says_where_it_comes_from() -> None:
    for row, text in paragraph_of_rows().items():
        assert row.startswith("likelihoods") or "added" in text or named_in(text), row


def test_the_priors_stand_in_the_order_of_the_summary() -> None:
    """P9: cysts, lipomas and wear; infections; “in rare cases” tumours."""
    priors = {row["key"]: row["prior_percent"] for row in content()["conditions"]}
    harmless = [priors["epidermoid_cyst"], priors["lipoma"], priors["degenerative_spine"]]
    tumours = [
        priors[key]
        for key in (
            "benign_bone_tumour",
            "soft_tissue_sarcoma",
            "spinal_metastasis",
            "primary_bone_cancer",
        )
    ]
    skin_infections = priors["epidermoid_cyst_inflamed"] + priors["skin_abscess"]

    assert min(harmless) > 1 > max(tumours)
    assert sum(harmless) > skin_infections > sum(tumours)
