"""What the engine means, in the words that a worried person reads."""

from triage.content.knowledge import Wording
from triage.engine import (
    Chance,
    Chosen,
    Decline,
    Declined,
    Evidence,
    FeatureKey,
    Finding,
    Knowledge,
    Number,
    Option,
    OptionKey,
    Reply,
    Required,
    Safety,
    Settles,
    Tells,
    Urgency,
    Why,
)

DECLINED = {
    Decline.DONT_KNOW: "Not known",
    Decline.CANT_SEE: "Could not see or reach it",
    Decline.RATHER_NOT_SAY: "Not provided",
}
CHANCES = {
    Chance.VERY_UNLIKELY: "very unlikely",
    Chance.UNLIKELY: "unlikely",
    Chance.POSSIBLE: "possible",
    Chance.LIKELY: "likely",
    Chance.VERY_LIKELY: "very likely",
    Chance.HARD_TO_TELL: "hard to tell",
}
SOON = {
    Urgency.EMERGENCY_NOW: "that need help at once",
    Urgency.SAME_DAY: "that need help today",
    Urgency.FEW_DAYS: "that should be seen in the next few days",
    Urgency.URGENT_2_WEEKS: "that should be seen within 2 weeks",
    Urgency.ROUTINE: "that somebody should look at",
    Urgency.SELF_CARE: "that can be looked after at home",
}


def why_asked(why: Why, knowledge: Knowledge) -> str:
    """Say why a question comes now, without naming what would frighten."""
    match why:
        case Safety():
            return "We ask everyone this first, to find signs that need help fast."
        case Required():
            return "We ask everyone this. The advice depends on it."
        case Settles(rules):
            highest = max(knowledge.rule(rule).urgency for rule in rules)
            return f"It comes now because it is the best next check for signs {SOON[highest]}."
        case Tells():
            return "It comes now because it tells the possible causes apart best."


def replied(feature: FeatureKey, reply: Reply, knowledge: Knowledge, wording: Wording) -> str:
    """Say a reply as the list of answers shows it."""
    match reply:
        case Number(value):
            return str(value)
        case Declined(reason):
            return DECLINED[reason]
        case Chosen(chosen):
            ticked = _ticked(feature, chosen, knowledge)
            return "; ".join(wording.option(feature, option.key) for option in ticked)


def told(finding: Finding, evidence: Evidence, knowledge: Knowledge, wording: Wording) -> str:
    """Say one finding: “Fever: Yes”, “Age: 34”, “Skin: not “Pus””, “Skin: nothing more”."""
    feature = finding.feature
    name = wording.feature_name(feature)
    if finding.number is not None:
        return f"{name}: {finding.number}"
    if finding.option is not None:
        label = wording.option(feature, finding.option)
        return f"{name}: {label}" if finding.present else f"{name}: not “{label}”"
    match evidence.get(feature):
        case Chosen(chosen) if any(
            option.exclusive for option in _ticked(feature, chosen, knowledge)
        ):
            return f"{name}: {replied(feature, Chosen(chosen), knowledge, wording)}"
        case _:
            return f"{name}: nothing more"


def _ticked(
    feature: FeatureKey, chosen: frozenset[OptionKey], knowledge: Knowledge
) -> list[Option]:
    return [option for option in knowledge.feature(feature).options if option.key in chosen]
