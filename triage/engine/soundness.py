"""Every reason why knowledge must not reach a patient: a sentence, and what of it is meant."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence, Set
from itertools import chain, pairwise
from math import isfinite, isnan, sumprod

import numpy as np

from .errors import Fault, RuleError
from .rules import features_of, misfits, parse
from .stated import CellKey, Likelihoods, Stated
from .verdicts import FALSE, Signs, Verdict
from .vocabulary import (
    Condition,
    ConditionKey,
    Feature,
    FeatureKey,
    Kind,
    OptionKey,
    RiskGroup,
    Rule,
    RuleKey,
    Settings,
    Syndrome,
)

SUM_TOLERANCE = 1e-6
MOST_OPTIONS = 200
_BACKGROUND = ConditionKey("the background")


def faults_of_parts(
    conditions: Sequence[Condition],
    features: Sequence[Feature],
    rules: Sequence[Rule],
    groups: Sequence[RiskGroup],
    syndromes: Sequence[Syndrome],
    cells: Likelihoods,
    stated: Sequence[Stated],
    strange: Sequence[CellKey],
    settings: Settings,
) -> Iterator[Fault]:
    """Yield the faults that can be seen before anything is compiled."""
    yield from _settings(settings)
    yield from _twice("condition", (condition.key for condition in conditions), "conditions")
    yield from _twice("feature", (feature.key for feature in features), "features")
    yield from _twice("rule", (rule.key for rule in rules), "rules")
    yield from _twice("risk group", (group.key for group in groups), "groups")
    yield from _twice("syndrome", (syndrome.key for syndrome in syndromes), "syndromes")
    yield from _conditions(conditions)
    for feature in features:
        yield from _options(feature)
    yield from _groups(groups, conditions)
    yield from _likelihoods(conditions, cells, stated, strange)
    for syndrome in syndromes:
        yield from _syndrome(syndrome, conditions, features, cells)
    yield from _linked_twice(syndromes)
    yield from _gates(features)
    yield from _rules(rules, features)


def _settings(settings: Settings) -> Iterator[Fault]:
    if not 0 < settings.temper <= 1:
        what = f"The temper is {settings.temper}: it must be above 0 and at most 1."
        yield Fault(what, "settings", field="temper")
    if not 0 <= settings.slip < 0.5:
        what = f"The share of slips is {settings.slip}: it must be at least 0 and below 0.5."
        yield Fault(what, "settings", field="slip")
    if not (isfinite(settings.gain_stop) and settings.gain_stop >= 0):
        what = f"The least gain worth a question is {settings.gain_stop}: it must be 0 or more."
        yield Fault(what, "settings", field="gain_stop")
    if not 0 < settings.lead_stop <= 1:
        what = f"The settling posterior is {settings.lead_stop}: it must be above 0 and at most 1."
        yield Fault(what, "settings", field="lead_stop")
    for name in ("spread_estimate", "spread_guideline", "spread_study"):
        spread = getattr(settings, name)
        if not (isfinite(spread) and spread >= 0):
            what = f"The {name.replace('_', ' of a number by ')} is {spread}: it must be 0 or more."
            yield Fault(what, "settings", field=name)


def _twice(what: str, keys: Iterable[str], part: str, *above: str) -> Iterator[Fault]:
    for key, count in Counter(keys).items():
        if count > 1:
            yield Fault(f"There are {count} of the {what} “{key}”.", part, *above, key, field="key")


def _conditions(conditions: Sequence[Condition]) -> Iterator[Fault]:
    if len(conditions) < 2:
        yield Fault("There must be at least two conditions to tell apart.", "conditions")
        return
    for condition in conditions:
        if not 0 < condition.prior < 1:
            what = f"The prior of “{condition.key}” is {condition.prior}: not between 0 and 1."
            yield Fault(what, "conditions", condition.key, field="prior")
        if not 0 < condition.raise_at <= 1:
            what = (
                f"The risk threshold of “{condition.key}” is {condition.raise_at}: not in (0, 1]."
            )
            yield Fault(what, "conditions", condition.key, field="raise_at")
    total = sum(condition.prior for condition in conditions)
    if not abs(total - 1) <= SUM_TOLERANCE:
        yield Fault(f"The priors add up to {total:.6f}, not 1.", "conditions", field="prior")


def _options(feature: Feature) -> Iterator[Fault]:
    if not (isfinite(feature.effort) and feature.effort > 0):
        what = f"The effort of “{feature.key}” is {feature.effort}: it must be above 0."
        yield Fault(what, "features", feature.key, field="effort")
    options = (option.key for option in feature.options)
    yield from _twice(f"option of “{feature.key}”", options, "options", feature.key)
    if not feature.options:
        yield Fault(f"The feature “{feature.key}” has no option.", "options", feature.key)
    if len(feature.options) > MOST_OPTIONS:
        what = f"The feature “{feature.key}” has more than {MOST_OPTIONS} options."
        yield Fault(what, "options", feature.key)
    if feature.kind is not Kind.NUMBER:
        return
    if feature.low is None or feature.high is None or feature.low > feature.high:
        what = f"The feature “{feature.key}” does not say which numbers it takes."
        yield Fault(what, "features", feature.key, field="low" if feature.low is None else "high")
        return
    bands = sorted(
        (
            feature.low if option.low is None else option.low,
            feature.high if option.high is None else option.high,
            option.key,
        )
        for option in feature.options
        if option.scored
    )
    for low, high, key in bands:
        if low > high or low < feature.low or high > feature.high:
            what = f"The band {low} to {high} of “{feature.key}” is empty or out of range."
            yield Fault(what, "options", feature.key, key, field="high")
    for (_, end, _), (start, _, key) in pairwise(bands):
        if start <= end:
            what = f"Two bands of “{feature.key}” overlap at {start}."
            yield Fault(what, "options", feature.key, key, field="low")
        elif start > end + 1:
            what = f"No band of “{feature.key}” holds {end + 1}."
            yield Fault(what, "options", feature.key, key, field="low")


def _groups(groups: Sequence[RiskGroup], conditions: Sequence[Condition]) -> Iterator[Fault]:
    known = {condition.key for condition in conditions}
    for group in groups:
        for key in sorted(group.conditions - known):
            what = f"The risk group “{group.key}” names “{key}”, which is no condition."
            yield Fault(what, "groups", group.key, field="conditions")
        if not group.conditions:
            what = f"The risk group “{group.key}” is empty."
            yield Fault(what, "groups", group.key, field="conditions")
        if not 0 < group.raise_at <= 1:
            what = f"The risk threshold of the group “{group.key}” is {group.raise_at}."
            yield Fault(what, "groups", group.key, field="raise_at")


def _likelihoods(
    conditions: Sequence[Condition],
    cells: Likelihoods,
    stated: Sequence[Stated],
    strange: Sequence[CellKey],
) -> Iterator[Fault]:
    """Yield faults in time that grows with what is stated, not with all that could be."""
    names = [condition.key for condition in conditions]
    for each in stated:
        key = each.feature.key
        plain = each.plain
        columns = [names[place] for place in each.places]
        if each.has_background:
            columns = [*columns, _BACKGROUND]
        elif len(columns) < len(names):
            here = set(columns)
            for name in (name for name in names if name not in here):
                for option in each.options:
                    what = f"The likelihood of “{name}” / “{key}” / “{option}” is missing."
                    yield Fault(what, "likelihoods", name, key, option)
        for row, column in np.argwhere(~((plain > 0) & (plain < 1))).tolist():
            cell = columns[column], key, each.options[row]
            what = f"The likelihood of “{'” / “'.join(cell)}”"
            number = float(plain[row, column])
            if isnan(number) and not _is_stated(cells, *cell):
                yield Fault(f"{what} is missing.", "likelihoods", *cell)
            else:
                what = f"{what} is {number}: it must be above 0 and below 1."
                yield Fault(what, "likelihoods", *cell, field="probability")
        if each.feature.kind is Kind.MULTI:
            continue
        sums = plain.sum(axis=0)
        for column in np.flatnonzero(np.abs(sums - 1) > SUM_TOLERANCE).tolist():
            yield Fault(
                f"The likelihoods of “{columns[column]}” / “{key}” "
                f"add up to {sums[column]:.6f}, not 1.",
                "likelihoods",
                columns[column],
                key,
            )
    known = {(each.feature.key, option) for each in stated for option in each.options}
    for feature, option in sorted(cells.background.keys() - known):
        strange = [*strange, (_BACKGROUND, feature, option)]
    for cell in sorted(strange):
        what = f"There is a likelihood of “{'” / “'.join(cell)}”, which is not in the topic."
        yield Fault(what, "likelihoods", *cell)


def _is_stated(
    cells: Likelihoods, condition: ConditionKey, feature: FeatureKey, option: OptionKey
) -> bool:
    if condition is _BACKGROUND:
        return (feature, option) in cells.background
    return (condition, feature, option) in cells


def _syndrome(
    syndrome: Syndrome,
    conditions: Sequence[Condition],
    features: Sequence[Feature],
    cells: Likelihoods,
) -> Iterator[Fault]:
    for what in _faults_of_syndrome(syndrome, conditions, features, cells):
        yield Fault(what, "syndromes", syndrome.key)


def _faults_of_syndrome(
    syndrome: Syndrome,
    conditions: Sequence[Condition],
    features: Sequence[Feature],
    cells: Likelihoods,
) -> Iterator[str]:
    where, count = f"The syndrome “{syndrome.key}”", len(syndrome.states)
    if count < 2:
        yield f"{where} has fewer than two states."
        return
    yield from _twice(f"state of the syndrome “{syndrome.key}”", syndrome.states, "syndromes")
    known = {condition.key for condition in conditions}
    if odd := sorted(set(syndrome.chances) - known):
        yield f"{where} has chances for “{odd[0]}”, which is no condition."
    if absent := sorted(known - set(syndrome.chances)):
        yield f"{where} has no chances for “{absent[0]}”."
        return
    rows = [*syndrome.chances.items(), *syndrome.members.items()]
    for key, row in rows:
        named = key if isinstance(key, str) else "” / “".join(key)
        if len(row) != count:
            yield f"{where} has {len(row)} numbers for “{named}”, not one for each state."
        elif not all(0 < number < 1 for number in row):
            yield f"{where} has a number for “{named}” that is not above 0 and below 1."
    if any(len(row) != count for _, row in rows):
        return
    for key, row in syndrome.chances.items():
        if not abs(sum(row) - 1) <= SUM_TOLERANCE:
            yield f"{where} has chances for “{key}” that add up to {sum(row):.6f}, not 1."
    yield from _members(syndrome, conditions, features, cells)


def _members(
    syndrome: Syndrome,
    conditions: Sequence[Condition],
    features: Sequence[Feature],
    cells: Likelihoods,
) -> Iterator[str]:
    where = f"The syndrome “{syndrome.key}”"
    named = {(feature, option) for _, feature, option in syndrome.members}
    wanted = {(condition.key, *pair) for condition in conditions for pair in named}
    for cell in sorted(wanted ^ set(syndrome.members)):
        yield f"{where} should have “{'” / “'.join(cell)}” for all conditions or for none."
    unstated = [cell for cell in syndrome.members if not _has_likelihood(cells, cell)]
    for cell in sorted(unstated):
        yield f"{where} has “{'” / “'.join(cell)}” among its members, which has no likelihood."
    if wanted ^ set(syndrome.members) or unstated:
        return
    variables = 0
    for feature in features:
        scored = [option.key for option in feature.options if option.scored]
        own = [key for key in scored if (feature.key, key) in named]
        whole = feature.kind is not Kind.MULTI
        variables += bool(own) if whole else len(own)
        if whole and own and own != scored:
            yield f"{where} has only some options of “{feature.key}”, of which one holds."
        elif whole and own:
            yield from _member_sums(syndrome, conditions, feature.key, own)
    if variables < 2:
        yield f"{where} has fewer than two findings to link."
    for (condition, feature_key, option), row in syndrome.members.items():
        mixed = sumprod(syndrome.chances[condition], row)
        stated = cells[condition, feature_key, option].probability
        if not abs(mixed - stated) <= SUM_TOLERANCE:
            yield (
                f"{where} makes “{condition}” / “{feature_key}” / “{option}” {mixed:.6f}, "
                f"where its likelihood is {stated:.6f}."
            )


def _has_likelihood(cells: Likelihoods, cell: CellKey) -> bool:
    return cell in cells or cell[1:] in cells.background


def _member_sums(
    syndrome: Syndrome,
    conditions: Sequence[Condition],
    feature: FeatureKey,
    options: Sequence[OptionKey],
) -> Iterator[str]:
    for condition in conditions:
        rows = (syndrome.members[condition.key, feature, option] for option in options)
        for state, total in zip(syndrome.states, map(sum, zip(*rows, strict=True)), strict=True):
            if not abs(total - 1) <= SUM_TOLERANCE:
                yield (
                    f"The likelihoods of “{condition.key}” / “{feature}” in the state “{state}” of "
                    f"the syndrome “{syndrome.key}” add up to {total:.6f}, not 1."
                )


def _linked_twice(syndromes: Sequence[Syndrome]) -> Iterator[Fault]:
    pairs = ({(feature, option) for _, feature, option in each.members} for each in syndromes)
    linked: Counter[tuple[FeatureKey, OptionKey]] = Counter(chain.from_iterable(pairs))
    for (feature, option), count in sorted(linked.items()):
        if count > 1:
            what = f"“{feature}” / “{option}” belongs to {count} syndromes."
            yield Fault(what, "options", feature, option)


def _gates(features: Sequence[Feature]) -> Iterator[Fault]:
    by_key = {feature.key: feature for feature in features}
    earlier: set[FeatureKey] = set()
    for feature in features:
        where = f"The condition for asking “{feature.key}”"
        for what in _gate(feature, by_key, earlier):
            yield Fault(f"{where} {what}.", "features", feature.key, field="asked_if")
        earlier.add(feature.key)


def _gate(
    feature: Feature, by_key: Mapping[FeatureKey, Feature], earlier: Set[FeatureKey]
) -> Iterator[str]:
    try:
        gate = parse(feature.asked_if)
    except RuleError as error:
        yield f"is not in order: {error}"
        return
    yield from (f"is not in order: {misfit}" for misfit in misfits(gate, by_key))
    for key in sorted((features_of(gate) & by_key.keys()) - earlier):
        yield f"looks at “{key}”, which does not come before it"


def _rules(rules: Sequence[Rule], features: Sequence[Feature]) -> Iterator[Fault]:
    by_key = {feature.key: feature for feature in features}
    for rule in rules:
        for what in _rule(rule, by_key):
            yield Fault(f"The rule “{rule.key}” {what}.", "rules", rule.key, field="text")


def _rule(rule: Rule, by_key: Mapping[FeatureKey, Feature]) -> Iterator[str]:
    if not rule.text.strip():
        yield "is empty"
        return
    try:
        expression = parse(rule.text)
    except RuleError as error:
        yield f"is not in order: {error}"
    else:
        yield from (f"is not in order: {misfit}" for misfit in misfits(expression, by_key))


def faults_of_verdicts(
    features: Sequence[Feature],
    signs: Signs,
    verdicts: Mapping[RuleKey, Verdict],
    scope: Collection[RuleKey],
) -> Iterator[Fault]:
    """Yield the rules that can never hold, the alarms that can switch a rule off, and the scope
    rules that an alarm could switch on, and so take the risk thresholds away.

    What a rule hangs on includes what its features are asked for.
    """
    for key, verdict in verdicts.items():
        if verdict is FALSE:
            yield Fault(f"The rule “{key}” can never hold.", "rules", key, field="text")
        hung = {signs.owner[sign] for sign in signs.signs_of(verdict)}
        for feature in (features[index] for index in sorted(hung)):
            if key in scope and any(option.alarm for option in feature.options):
                what = f"The scope rule “{key}” hangs on “{feature.key}”, which has an alarm."
                yield Fault(what, "rules", key, field="text")
            for option in calming_alarms(feature, signs, verdict):
                what = f"The rule “{key}” is switched off by the alarm “{feature.key}: {option}”."
                yield Fault(what, "rules", key, field="text")


def calming_alarms(feature: Feature, signs: Signs, verdict: Verdict) -> Iterator[str]:
    """Yield the alarms of a feature that turn the verdict false where another reply leaves it true."""
    first = signs.first[feature.key]
    alarms = [(index, o) for index, o in enumerate(feature.options) if o.alarm]
    match feature.kind:
        case Kind.MULTI:
            lone = [i for i, o in enumerate(feature.options) if o.exclusive and not o.alarm]
            calm_ones = {signs.with_one(verdict, feature, index) for index in lone if alarms}
            for index, option in alarms:
                alone = signs.with_one(verdict, feature, index)
                kept = signs.keeps(verdict, first + index, (0,), 1)
                if not (kept and all(signs.implies(calm, alone) for calm in calm_ones)):
                    yield option.key
        case Kind.SINGLE:
            calm = [i for i, o in enumerate(feature.options) if not o.alarm]
            for index, option in alarms:
                if not signs.keeps(verdict, first, (*calm, len(feature.options)), index):
                    yield option.key
        case Kind.NUMBER:
            cells = signs.cells[feature.key]
            for _, option in alarms:
                low = cells[0].start if option.low is None else option.low
                high = cells[-1].stop - 1 if option.high is None else option.high
                inside = [i for i, cell in enumerate(cells) if low <= cell.start <= high]
                outside = [i for i in range(len(cells) + 1) if i not in inside]
                if not all(signs.keeps(verdict, first, outside, own) for own in inside):
                    yield option.key
