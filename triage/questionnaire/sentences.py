"""What the engine means, in the words that a worried person reads."""

from triage.content.knowledge import Wording
from triage.engine import (
    Chance,
    Chosen,
    Decline,
    Declined,
    FeatureKey,
    Finding,
    Kind,
    Knowledge,
    Number,
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
            in_order = [o.key for o in knowledge.feature(feature).options if o.key in chosen]
            return "; ".join(wording.option(feature, key) for key in in_order)


def told(finding: Finding, knowledge: Knowledge, wording: Wording) -> str:
    """Say one finding: “Fever: Yes”, “Age: 34”, “Skin: not “Pus””."""
    name = wording.feature_name(finding.feature)
    if finding.number is not None:
        return f"{name}: {finding.number}"
    if finding.option is None:
        return f"{name}: nothing else"
    if knowledge.feature(finding.feature).kind is Kind.NUMBER:
        return f"{name}: {wording.option(finding.feature, finding.option)}"
    label = wording.option(finding.feature, finding.option)
    return f"{name}: {label}" if finding.present else f"{name}: not “{label}”"
