"""Findings that share a hidden cause: counted together, and explained as one reason."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest

from triage.engine import (
    Basis,
    ConditionKey,
    Evidence,
    FeatureKey,
    Finding,
    Knowledge,
    Likelihood,
    OptionKey,
    Settings,
    StateKey,
    Syndrome,
    SyndromeKey,
    Together,
    Unsound,
    outcome,
    posterior,
    receipt,
)
from triage.engine.explanation import weights_of_evidence
from triage.engine.inference import credible_range
from triage.engine.standing import Standing

from .small import SYNDROMES, TABLE, evidence_of, knowledge_with, likelihoods

ILL, INFLAMED = SYNDROMES
PLAIN = Settings(temper=1, slip=0)


def test_two_findings_of_one_cause_worked_by_hand() -> None:
    """A cyst has a fever in 10 of 100 and tiredness in 10; a strain in 5 and 20; a tumour in 20 and
    50. The chances in the two states are in the table of the test. Of 1,000 people 600, 300 and 100
    have the conditions, so that both findings are seen in 6.81, 4.0875 and 11.2 of them."""
    members = {
        "cyst": {"fever.yes": (0.095, 0.145), "general.tired": (0.095, 0.145)},
        "strain": {"fever.yes": (0.045, 0.07), "general.tired": (0.18, 0.28)},
        "tumour": {"fever.yes": (0.14, 0.24), "general.tired": (0.35, 0.6)},
    }
    for condition, cells in members.items():
        for name, row in cells.items():
            feature, option = name.split(".")
            own = ILL.members[ConditionKey(condition), FeatureKey(feature), OptionKey(option)]
            assert own == pytest.approx(row)
    both = {
        "cyst": 600 * (0.9 * 0.095 * 0.095 + 0.1 * 0.145 * 0.145),
        "strain": 300 * (0.8 * 0.045 * 0.18 + 0.2 * 0.07 * 0.28),
        "tumour": 100 * (0.4 * 0.14 * 0.35 + 0.6 * 0.24 * 0.6),
    }
    knowledge = knowledge_with(syndromes=(just_two(ILL),), settings=PLAIN)

    found = posterior(knowledge, evidence_of(knowledge, fever="yes", general={"tired"}))

    # weight loss, which the person does not have, is no member here
    lacking = {"cyst": 0.98, "strain": 0.98, "tumour": 0.6}
    weights = np.array([both[key] * lacking[key] for key in both])
    assert found == pytest.approx(weights / weights.sum())


def just_two(syndrome: Syndrome) -> Syndrome:
    """Fever, and tiredness alone of the general signs."""
    kept = {key: row for key, row in syndrome.members.items() if key[2] in ("yes", "no", "tired")}
    return replace(syndrome, members=kept)


def test_one_finding_alone_weighs_what_it_would_without_the_syndrome() -> None:
    linked, independent = knowledge_with(syndromes=SYNDROMES), knowledge_with()

    for told in ({"fever": "yes"}, {"pain": 8}):
        evidence = evidence_of(independent, **told)
        assert posterior(linked, evidence) == pytest.approx(posterior(independent, evidence))


def test_findings_that_only_a_syndrome_brings_say_no_more_than_the_syndrome() -> None:
    """Being ill all over is six times as likely in a tumour as in a cyst, and brings the findings
    alike in both: four of them speak for a tumour by less than a factor of six. As if independent
    they speak for it by more than a hundred."""
    there = {"cyst": 0.1, "strain": 0.2, "tumour": 0.6}
    alike = {"fever.yes": (0.02, 0.8), "fever.no": (0.98, 0.2), "leg_nerves.numb_legs": (0.02, 0.7)}
    alike |= {"general.weight_loss": (0.02, 0.6), "general.tired": (0.05, 0.9)}
    cells, members = likelihoods(), {}
    for condition, chance in there.items():
        for name, (absent, present) in alike.items():
            feature, option = name.split(".")
            key = (ConditionKey(condition), FeatureKey(feature), OptionKey(option))
            members[key] = (absent, present)
            cells[key] = Likelihood((1 - chance) * absent + chance * present)
    chances = {ConditionKey(c): (1 - chance, chance) for c, chance in there.items()}
    ill = replace(ILL, chances=chances, members=members)
    linked = knowledge_with(syndromes=(ill,), likelihoods=cells, settings=PLAIN)
    independent = knowledge_with(likelihoods=cells, settings=PLAIN)
    evidence = evidence_of(
        linked, fever="yes", general={"tired", "weight_loss"}, leg_nerves={"numb_legs"}
    )

    def factor(knowledge: Knowledge) -> float:
        cyst, _, tumour = posterior(knowledge, evidence)
        weak_legs = 0.7 / 0.99  # which the person does not have, and which is no member
        return float(tumour / cyst / (0.1 / 0.6) / weak_legs)

    assert 5.9 < factor(linked) < 6
    assert factor(independent) > 100


def test_the_findings_of_a_syndrome_are_one_reason(linked: Knowledge) -> None:
    evidence = evidence_of(
        linked, general={"tired"}, fever="yes", leg_nerves="none", skin={"pus", "bruise"}, pain=8
    )

    reasons, weights = weights_of_evidence(Standing(linked, evidence))

    general, skin, legs = (FeatureKey(key) for key in ("general", "skin", "leg_nerves"))
    assert reasons == (
        # weak legs, of which the person has none, are no member
        Finding(legs, present=False),
        Together(
            SyndromeKey("ill_all_over"),
            (
                Finding(legs, OptionKey("numb_legs"), present=False),
                Finding(FeatureKey("fever"), OptionKey("yes")),
                Finding(general, OptionKey("weight_loss"), present=False),
                Finding(general, OptionKey("tired")),
            ),
        ),
        Finding(skin, present=False),
        Finding(skin, OptionKey("bruise")),
        Together(
            SyndromeKey("inflamed"),
            (
                Finding(skin, OptionKey("red"), present=False),
                Finding(skin, OptionKey("pus")),
                Finding(FeatureKey("pain"), number=8),
            ),
        ),
    )
    assert weights.shape == (5, 3)


def test_a_receipt_names_the_syndrome_and_its_findings(linked: Knowledge) -> None:
    evidence = evidence_of(linked, age=40, fever="yes", pain=8)

    text = receipt(outcome(linked, evidence))

    assert '["ill_all_over",[["fever","yes",null,true]],' in text
    assert '["inflamed",[["pain",null,8,true]],' in text


DRAWS = 20_000


def test_the_range_holds_nine_of_ten_draws_of_every_number_of_a_syndrome() -> None:
    """Chances and members are drawn as logit-normal about their values, each state's by itself; the
    two options of a fever are then made to sum to 1 again. The study of it has 400 people; all else
    is an estimate."""
    knowledge = knowledge_with(syndromes=(ILL,))
    evidence = evidence_of(knowledge, fever="yes", general={"tired"})
    chance = np.random.default_rng(3)
    settings = knowledge.settings

    def strayed(p: float, spread: float) -> np.ndarray[tuple[int]]:
        odds = np.log(p / (1 - p)) + spread * chance.standard_normal(DRAWS)
        return np.asarray(1 / (1 + np.exp(-odds)))

    def slipped(p: np.ndarray[tuple[int]]) -> np.ndarray[tuple[int]]:
        return np.asarray((1 - settings.slip) * p + settings.slip / 2)

    weights = []
    for condition in knowledge.conditions:
        key = condition.key
        odds = np.log(condition.prior / (1 - condition.prior))
        prior = 1 / (1 + np.exp(-odds - settings.spread_estimate * chance.standard_normal(DRAWS)))
        there = ILL.chances[key][1]
        odds = np.log(there / (1 - there)) + settings.spread_estimate * chance.standard_normal(
            DRAWS
        )
        present = 1 / (1 + np.exp(-odds))
        total = np.zeros(DRAWS)
        for state, share in enumerate((1 - present, present)):
            fever = TABLE[key]["fever"]["yes"]
            study = max(settings.spread_study, (400 * fever * (1 - fever)) ** -0.5)
            member = ILL.members[key, FeatureKey("fever"), OptionKey("yes")][state]
            yes, no = (strayed(p, study) for p in (member, 1 - member))
            part = share * slipped(yes / (yes + no))
            for option, holds in (("tired", True), ("weight_loss", False)):
                member = ILL.members[key, FeatureKey("general"), OptionKey(option)][state]
                p = slipped(strayed(member, settings.spread_estimate))
                part = part * (p if holds else 1 - p)
            total += part
        weights.append(prior * total**settings.temper)
    posteriors = np.array(weights) / np.sum(weights, axis=0)

    found = credible_range(Standing(knowledge, evidence))

    low, high = np.quantile(posteriors, [0.05, 0.95], axis=1)
    assert found.low == pytest.approx(low, abs=0.012)
    assert found.high == pytest.approx(high, abs=0.012)


def test_a_syndrome_of_which_nothing_is_known_changes_no_range() -> None:
    evidence = Evidence()
    linked, independent = knowledge_with(syndromes=SYNDROMES), knowledge_with()

    there, here = (credible_range(Standing(k, evidence)) for k in (linked, independent))

    assert there.low.tolist() == here.low.tolist()
    assert there.high.tolist() == here.high.tolist()


def with_member(option: str, row: tuple[float, ...]) -> Syndrome:
    key = (ConditionKey("cyst"), FeatureKey("general"), OptionKey(option))
    return replace(ILL, members={**ILL.members, key: row})


def without(*options: str) -> Syndrome:
    kept = {key: row for key, row in ILL.members.items() if key[2] not in options}
    return replace(ILL, members=kept)


def with_chances(chances: Mapping[str, tuple[float, ...]]) -> Syndrome:
    return replace(ILL, chances={ConditionKey(key): row for key, row in chances.items()})


WHOLE: dict[str, tuple[float, ...]] = {str(key): row for key, row in ILL.chances.items()}
UNSOUND = {
    "There are 2 of the syndrome “ill_all_over”.": (ILL, ILL),
    "“general” / “tired” belongs to 2 syndromes.": (
        ILL,
        replace(without("yes", "no"), key=SyndromeKey("worn_out")),
    ),
    "The syndrome “ill_all_over” has fewer than two states.": (
        replace(ILL, states=(StateKey("present"),)),
    ),
    "There are 2 of the state of the syndrome “ill_all_over” “twice”.": (
        replace(ILL, states=(StateKey("twice"),) * 2),
    ),
    "The syndrome “ill_all_over” has chances for “gout”, which is no condition.": (
        with_chances({**WHOLE, "gout": (0.5, 0.5)}),
    ),
    "The syndrome “ill_all_over” has no chances for “strain”.": (
        with_chances({key: row for key, row in WHOLE.items() if key != "strain"}),
    ),
    "The syndrome “ill_all_over” has 3 numbers for “cyst”, not one for each state.": (
        with_chances({**WHOLE, "cyst": (0.8, 0.1, 0.1)}),
    ),
    "The syndrome “ill_all_over” has a number for “cyst” that is not above 0 and below 1.": (
        with_chances({**WHOLE, "cyst": (1.0, 0.0)}),
    ),
    "The syndrome “ill_all_over” has chances for “cyst” that add up to 0.900000, not 1.": (
        with_chances({**WHOLE, "cyst": (0.8, 0.1)}),
    ),
    "The syndrome “ill_all_over” has a number for “cyst” / “general” / “tired” that is not above 0"
    " and below 1.": (with_member("tired", (0.0, 0.5)),),
    "The syndrome “ill_all_over” makes “cyst” / “general” / “tired” 0.200000, where its likelihood"
    " is 0.100000.": (with_member("tired", (0.2, 0.2)),),
    "The syndrome “ill_all_over” has “cyst” / “general” / “hungry” among its members, which has no"
    " likelihood.": (
        replace(
            ILL,
            members={
                **ILL.members,
                **{
                    (ConditionKey(c), FeatureKey("general"), OptionKey("hungry")): (0.1, 0.2)
                    for c in TABLE
                },
            },
        ),
    ),
    "The syndrome “ill_all_over” should have “tumour” / “general” / “tired” for all conditions or"
    " for none.": (
        replace(
            ILL,
            members={
                k: row for k, row in ILL.members.items() if (k[0], k[2]) != ("tumour", "tired")
            },
        ),
    ),
    "The syndrome “ill_all_over” has only some options of “fever”, of which one holds.": (
        without("no"),
    ),
    "The syndrome “ill_all_over” has fewer than two findings to link.": (
        without("yes", "no", "tired", "numb_legs"),
    ),
}


@pytest.mark.parametrize("fault", UNSOUND)
def test_every_fault_of_a_syndrome_is_named(fault: str) -> None:
    with pytest.raises(Unsound) as refused:
        knowledge_with(syndromes=UNSOUND[fault])

    assert fault in refused.value.faults


def test_the_row_of_a_single_choice_adds_up_in_every_state() -> None:
    key = (ConditionKey("cyst"), FeatureKey("fever"), OptionKey("no"))
    uneven = replace(ILL, members={**ILL.members, key: (0.91, 0.81)})

    with pytest.raises(Unsound) as refused:
        knowledge_with(syndromes=(uneven,))

    assert (
        "The likelihoods of “cyst” / “fever” in the state “state 0” of the syndrome “ill_all_over”"
        " add up to 1.005000, not 1." in refused.value.faults
    )


def test_a_study_makes_the_chances_of_a_syndrome_surer() -> None:
    evidence = evidence_of(knowledge_with(), fever="yes", general={"tired"})
    rough, sure = (
        knowledge_with(syndromes=(replace(ILL, basis=basis),))
        for basis in (Basis.ESTIMATE, Basis.STUDY)
    )

    wide, narrow = (credible_range(Standing(k, evidence)) for k in (rough, sure))

    assert ((wide.high - wide.low) > (narrow.high - narrow.low)).all()
