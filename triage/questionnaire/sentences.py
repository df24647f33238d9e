"""What the engine means, in the words that a worried person reads."""

from collections.abc import Iterator
from itertools import groupby
from math import log

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

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
    MayRaise,
    Number,
    Option,
    OptionKey,
    Reply,
    Required,
    Safety,
    Settles,
    Tells,
    Together,
    Urgency,
    Why,
)
from triage.engine.tables import band_of

DECLINED = {
    Decline.DONT_KNOW: gettext_lazy("Not known"),
    Decline.CANT_SEE: gettext_lazy("Could not see or reach it"),
    Decline.RATHER_NOT_SAY: gettext_lazy("Not provided"),
}
CHANCES = {
    Chance.VERY_UNLIKELY: gettext_lazy("very unlikely"),
    Chance.UNLIKELY: gettext_lazy("unlikely"),
    Chance.POSSIBLE: gettext_lazy("possible"),
    Chance.LIKELY: gettext_lazy("likely"),
    Chance.VERY_LIKELY: gettext_lazy("very likely"),
    Chance.HARD_TO_TELL: gettext_lazy("hard to tell"),
}
SOON = {
    Urgency.EMERGENCY_NOW: gettext_lazy(
        "It comes now because it is the best next check for signs that need help at once."
    ),
    Urgency.SAME_DAY: gettext_lazy(
        "It comes now because it is the best next check for signs that need help today."
    ),
    Urgency.FEW_DAYS: gettext_lazy(
        "It comes now because it is the best next check for signs that should be seen in the next"
        " few days."
    ),
    Urgency.URGENT_2_WEEKS: gettext_lazy(
        "It comes now because it is the best next check for signs that should be seen within 2"
        " weeks."
    ),
    Urgency.ROUTINE: gettext_lazy(
        "It comes now because it is the best next check for signs that somebody should look at."
    ),
    Urgency.SELF_CARE: gettext_lazy(
        "It comes now because it is the best next check for signs that can be looked after at home."
    ),
}


def why_asked(why: Why, knowledge: Knowledge) -> str:
    """Say why a question comes now, without naming what would frighten."""
    match why:
        case Safety():
            return _("We ask everyone this first, to find signs that need help fast.")
        case Required():
            return _("We ask everyone this. The advice depends on it.")
        case Settles(rules):
            return str(SOON[max(knowledge.rule(rule).urgency for rule in rules)])
        case Tells():
            return _("It comes now because it tells the possible causes apart best.")
        case MayRaise():
            return _("It comes now because the answer could change how soon help is needed.")


def replied(feature: FeatureKey, reply: Reply, knowledge: Knowledge, wording: Wording) -> str:
    """Say a reply as the list of answers shows it."""
    match reply:
        case Number(value):
            return str(value)
        case Declined(reason):
            return str(DECLINED[reason])
        case Chosen(chosen):
            ticked = _ticked(feature, chosen, knowledge)
            return "; ".join(wording.option(feature, option.key) for option in ticked)


def told(
    reason: Finding | Together, evidence: Evidence, knowledge: Knowledge, wording: Wording
) -> str:
    """Say one finding, or what several of them show together, which is one reason."""
    match reason:
        case Finding():
            return _found(reason, evidence, knowledge, wording)
        case Together():
            return _together(reason, evidence, knowledge, wording)


def named(name: str, answer: str) -> str:
    return _("%(name)s: %(answer)s") % {"name": name, "answer": answer}


def range_of(low: int, high: int) -> str:
    return _("%(low)s to %(high)s") % {"low": low, "high": high}


def _not(label: str) -> str:
    return _("not “%(answer)s”") % {"answer": label}


def _found(finding: Finding, evidence: Evidence, knowledge: Knowledge, wording: Wording) -> str:
    """Say one finding: “Fever: Yes”, “Age: 34”, “Skin: not “Pus””, “Skin: nothing more”."""
    feature = finding.feature
    name = wording.feature_name(feature)
    if finding.number is not None:
        return named(name, str(finding.number))
    if finding.option is not None:
        reply = evidence.get(feature)
        if isinstance(reply, Declined):  # rules read it as not sure; nobody said so
            return named(name, replied(feature, reply, knowledge, wording))
        label = wording.option(feature, finding.option)
        return named(name, label if finding.present else _not(label))
    said = _holds_alone(feature, evidence, knowledge, wording)
    if said and not wording.shows_a_syndrome(feature):  # else that says it, and this is the rest
        return named(name, said)
    return _("%(name)s: nothing more") % {"name": name}


def _holds_alone(
    feature: FeatureKey, evidence: Evidence, knowledge: Knowledge, wording: Wording
) -> str:
    """Return the answer that was given and holds alone, such as “None of these”, if one was."""
    match evidence.get(feature):
        case Chosen(chosen) if any(o.exclusive for o in _ticked(feature, chosen, knowledge)):
            return replied(feature, Chosen(chosen), knowledge, wording)
        case _:
            return ""


def _together(
    together: Together, evidence: Evidence, knowledge: Knowledge, wording: Wording
) -> str:
    """Say a syndrome with what shows it: “Ill all over (Fever: Yes; General health: Worn out)”,
    “Ill all over (General health: Worn out; but Fever: No)”, “Not ill all over (Fever: No)”.
    """
    text = wording.syndrome(together.syndrome)
    shows: list[str] = []
    lacks: list[str] = []
    for feature, group in groupby(together.findings, key=lambda finding: finding.feature):
        findings = list(group)
        name = wording.feature_name(feature)
        signs = [
            finding
            for finding in findings
            if finding.present and (feature, _option_of(finding, knowledge)) in text.signs
        ]
        if signs:
            shows.append(named(name, ", ".join(_values(signs, wording))))
        elif said := _holds_alone(feature, evidence, knowledge, wording):
            lacks.append(named(name, said))
        else:
            lacks.append(named(name, ", ".join(_values(findings, wording))))
    if shows and (not lacks or _is_likelier(together, knowledge)):
        heading, most, rest = text.present, shows, lacks
    else:
        heading, most, rest = text.absent, lacks, shows
    parts = {"heading": heading, "most": "; ".join(most), "rest": "; ".join(rest)}
    return (_("%(heading)s (%(most)s; but %(rest)s)") if rest else "%(heading)s (%(most)s)") % parts


def _is_likelier(together: Together, knowledge: Knowledge) -> bool:
    """Return whether the findings speak for the syndrome more than against it.

    One answer for all conditions, the mean of them: a person is ill all over or is not, whatever
    the cause.
    """
    (syndrome,) = (each for each in knowledge.syndromes if each.key == together.syndrome)
    weight = 0.0
    for condition in knowledge.conditions:
        for finding in together.findings:
            option = _option_of(finding, knowledge)
            assert option is not None  # a number outside every band is no finding
            absent, present = syndrome.members[condition.key, finding.feature, option]
            if not finding.present:
                absent, present = 1 - absent, 1 - present
            weight += condition.prior * log(present / absent)
    return weight > 0


def _option_of(finding: Finding, knowledge: Knowledge) -> OptionKey | None:
    """Return the option that was found, of a number the band that holds it."""
    if finding.number is None:
        return finding.option
    return band_of(knowledge.feature(finding.feature), finding.number)


def _values(findings: list[Finding], wording: Wording) -> Iterator[str]:
    """Yield findings of one feature without its name."""
    for finding in findings:
        if finding.option is None:
            yield str(finding.number)
        else:
            label = wording.option(finding.feature, finding.option)
            yield label if finding.present else _not(label)


def _ticked(
    feature: FeatureKey, chosen: frozenset[OptionKey], knowledge: Knowledge
) -> list[Option]:
    return [option for option in knowledge.feature(feature).options if option.key in chosen]
