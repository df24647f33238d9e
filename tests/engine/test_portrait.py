"""How a condition shows and what is like it, worked by hand on a topic of three conditions."""

from math import sqrt

import pytest

from triage.engine import (
    Condition,
    ConditionKey,
    Feature,
    FeatureKey,
    Finding,
    Kind,
    Knowledge,
    Likelihood,
    OptionKey,
    Portrait,
    Settings,
    StateKey,
    Syndrome,
    SyndromeKey,
    Together,
    Urgency,
    likeness,
    most_alike,
    portrait,
)

from .small import option

CYST, BOIL, STRAIN = map(ConditionKey, ("cyst", "boil", "strain"))
CHANCES = {
    # feature, option: P(option | cyst, boil, strain)
    ("fever", "yes"): (0.1, 0.6, 0.05),
    ("fever", "no"): (0.9, 0.4, 0.95),
    ("skin", "red"): (0.2, 0.8, 0.02),
    ("skin", "pus"): (0.2, 0.4, 0.02),
    ("moves", "yes"): (0.9, 0.55, 0.09),
    ("moves", "no"): (0.1, 0.45, 0.91),
}
INFLAMED = Syndrome(
    SyndromeKey("inflamed"),
    (StateKey("absent"), StateKey("present")),
    {CYST: (0.8, 0.2), BOIL: (0.2, 0.8), STRAIN: (0.9, 0.1)},
    {
        (BOIL, FeatureKey("fever"), OptionKey("yes")): (0.2, 0.7),
        (BOIL, FeatureKey("fever"), OptionKey("no")): (0.8, 0.3),
        (BOIL, FeatureKey("skin"), OptionKey("red")): (0.4, 0.9),
        (CYST, FeatureKey("fever"), OptionKey("yes")): (0.05, 0.3),
        (CYST, FeatureKey("fever"), OptionKey("no")): (0.95, 0.7),
        (CYST, FeatureKey("skin"), OptionKey("red")): (0.15, 0.4),
        (STRAIN, FeatureKey("fever"), OptionKey("yes")): (0.05, 0.05),
        (STRAIN, FeatureKey("fever"), OptionKey("no")): (0.95, 0.95),
        (STRAIN, FeatureKey("skin"), OptionKey("red")): (0.02, 0.02),
    },
)


def topic(*, syndromes: tuple[Syndrome, ...] = ()) -> Knowledge:
    return Knowledge(
        conditions=[
            Condition(CYST, 0.5, Urgency.ROUTINE, raise_at=1.0),
            Condition(BOIL, 0.3, Urgency.SELF_CARE, raise_at=1.0),
            Condition(STRAIN, 0.2, Urgency.SELF_CARE, raise_at=1.0),
        ],
        features=[
            Feature(FeatureKey("fever"), Kind.SINGLE, (option("yes"), option("no"))),
            Feature(FeatureKey("skin"), Kind.MULTI, (option("red"), option("pus"))),
            Feature(FeatureKey("moves"), Kind.SINGLE, (option("yes"), option("no"))),
        ],
        rules=[],
        likelihoods={
            (condition, FeatureKey(feature), OptionKey(key)): Likelihood(chance)
            for (feature, key), chances in CHANCES.items()
            for condition, chance in zip((CYST, BOIL, STRAIN), chances, strict=True)
        },
        syndromes=syndromes,
        settings=Settings(slip=0),
    )


def found(feature: str, key: str) -> Finding:
    return Finding(FeatureKey(feature), OptionKey(key))


def test_what_most_have_and_more_often_than_the_others_is_common() -> None:
    # Against cyst 5/7 and strain 2/7: fever 0.6 / 0.0857, red 0.8 / 0.1486, pus 0.4 / 0.1486.
    # It moves: 0.55, but 0.6686 of the others too.
    looks = portrait(topic(), BOIL)

    assert looks == Portrait(
        common=(found("fever", "yes"), found("skin", "red")), telling=(found("skin", "pus"),)
    )


def test_what_most_people_with_anything_have_says_nothing_of_one() -> None:
    # No fever: 0.9 of a cyst, against 0.4 x 0.6 + 0.95 x 0.4 = 0.62 of the others: 1.45 times.
    # It moves: 0.9 against 0.55 x 0.6 + 0.09 x 0.4 = 0.366.
    assert portrait(topic(), CYST) == Portrait(common=(found("moves", "yes"),), telling=())


def test_findings_of_a_syndrome_are_one_reason_in_the_order_of_the_content() -> None:
    looks = portrait(topic(syndromes=(INFLAMED,)), BOIL)

    together = Together(SyndromeKey("inflamed"), (found("fever", "yes"), found("skin", "red")))
    assert looks == Portrait(common=(together,), telling=(found("skin", "pus"),))


def test_likeness_is_the_sum_over_all_outcomes_of_the_root_of_both_chances() -> None:
    fever = sqrt(0.1 * 0.6) + sqrt(0.9 * 0.4)
    red = sqrt(0.2 * 0.8) + sqrt(0.8 * 0.2)
    pus = sqrt(0.2 * 0.4) + sqrt(0.8 * 0.6)
    moves = sqrt(0.9 * 0.55) + sqrt(0.1 * 0.45)

    alike = likeness(topic())

    assert alike[0, 1] == pytest.approx(fever * red * pus * moves, abs=1e-12)
    assert alike.diagonal() == pytest.approx([1, 1, 1], abs=1e-12)
    assert alike == pytest.approx(alike.T, abs=1e-12)


def test_likeness_counts_what_a_syndrome_links_once() -> None:
    pus = sqrt(0.2 * 0.4) + sqrt(0.8 * 0.6)
    moves = sqrt(0.9 * 0.55) + sqrt(0.1 * 0.45)
    absent = (
        sqrt(0.8 * 0.2)
        * (sqrt(0.05 * 0.2) + sqrt(0.95 * 0.8))
        * (sqrt(0.15 * 0.4) + sqrt(0.85 * 0.6))
    )
    present = (
        sqrt(0.2 * 0.8) * (sqrt(0.3 * 0.7) + sqrt(0.7 * 0.3)) * (sqrt(0.4 * 0.9) + sqrt(0.6 * 0.1))
    )

    alike = likeness(topic(syndromes=(INFLAMED,)))

    assert alike[0, 1] == pytest.approx((absent + present) * pus * moves, abs=1e-12)
    assert alike.diagonal() == pytest.approx([1, 1, 1], abs=1e-12)


def test_the_most_alike_come_first() -> None:
    # Cyst and boil 0.604 by the sums above; worked in the same way, cyst and strain 0.525, boil
    # and strain 0.332.
    assert most_alike(topic(), CYST) == (BOIL, STRAIN)
    assert most_alike(topic(), BOIL) == (CYST, STRAIN)
    assert most_alike(topic(), STRAIN) == (CYST, BOIL)


def test_the_shipped_conditions_all_have_a_portrait(shipped: Knowledge) -> None:
    for condition in shipped.conditions:
        looks = portrait(shipped, condition.key)

        assert looks.common, condition.key
        assert len(most_alike(shipped, condition.key)) == len(shipped.conditions) - 1


def test_the_shipped_look_alikes_are_those_that_a_clinician_names(shipped: Knowledge) -> None:
    assert most_alike(shipped, ConditionKey("lipoma"))[0] == "epidermoid_cyst"
    assert "boil_deep_spot" in most_alike(shipped, ConditionKey("skin_abscess"))[:3]
    assert (
        "spinal_epidural_abscess"
        in most_alike(shipped, ConditionKey("vertebral_osteomyelitis"))[:3]
    )
