"""One topic's clinical knowledge: frozen, self-checking, compiled once."""

from collections.abc import Mapping, Sequence

from .errors import UnknownFeature, Unsound
from .rules import Expression, features_of, parse
from .settling import Settling
from .soundness import faults_of_parts, faults_of_verdicts
from .stated import Background, Cells, Likelihoods, stated_of
from .tables import Tables
from .verdicts import TRUE, Signs, Verdict
from .vocabulary import (
    Condition,
    ConditionKey,
    Feature,
    FeatureKey,
    RiskGroup,
    Rule,
    RuleKey,
    RuleKind,
    Settings,
    Syndrome,
    Tier,
    Urgency,
)


class Knowledge:
    """What is known of one topic. It refuses to exist unless it is sound.

    `features` stand in the order of the content, which is the order in which gates may look back.
    `likelihoods` are P(option | condition); those that it does not state are the `background`'s,
    P(option | anything else), where there is one: so that a topic of thousands of conditions says
    of each only what is special about it.

    Raises: Unsound, with every fault, if the parts contradict themselves or each other.
    """

    def __init__(
        self,
        *,
        conditions: Sequence[Condition],
        features: Sequence[Feature],
        rules: Sequence[Rule],
        likelihoods: Cells,
        background: Background | None = None,
        groups: Sequence[RiskGroup] = (),
        syndromes: Sequence[Syndrome] = (),
        settings: Settings | None = None,
    ) -> None:
        self.conditions = tuple(conditions)
        self.features = tuple(features)
        self.rules = tuple(rules)
        self.groups = tuple(groups)
        self.syndromes = tuple(syndromes)
        self.likelihoods = Likelihoods(likelihoods, background)
        self.settings = settings or Settings()
        stated, strange = stated_of(
            self.conditions, self.features, self.likelihoods, background, self.settings
        )
        faults = tuple(
            faults_of_parts(
                self.conditions,
                self.features,
                self.rules,
                self.groups,
                self.syndromes,
                self.likelihoods,
                stated,
                strange,
                self.settings,
            )
        )
        if faults:
            raise Unsound(faults)
        self._conditions = {condition.key: condition for condition in self.conditions}
        self._features = {feature.key: feature for feature in self.features}
        self.place = {feature.key: index for index, feature in enumerate(self.features)}
        self.everything = frozenset(self.place)
        self.safety = tuple(f.key for f in self.features if f.tier is Tier.SAFETY)
        self.required = tuple(f.key for f in self.features if f.required)
        self._rules = {rule.key: rule for rule in self.rules}
        self.tables = Tables(self.conditions, stated, self.settings, self.syndromes)
        self.expressions: Mapping[RuleKey, Expression] = {
            rule.key: parse(rule.text) for rule in self.rules
        }
        self.asked_if: Mapping[FeatureKey, Expression] = {
            feature.key: parse(feature.asked_if) for feature in self.features
        }
        self.signs = Signs(self.features, [*self.asked_if.values(), *self.expressions.values()])
        self.gates: dict[FeatureKey, Verdict] = {}
        for feature in self.features:
            gate = self.signs.compiled(self.asked_if[feature.key], self.gates)
            self.gates[feature.key] = gate
        self.verdicts: Mapping[RuleKey, Verdict] = {
            key: self.signs.compiled(expression, self.gates)
            for key, expression in self.expressions.items()
        }
        self.scope = tuple(rule.key for rule in self.rules if rule.kind is RuleKind.SCOPE)
        faults = tuple(faults_of_verdicts(self.features, self.signs, self.verdicts, self.scope))
        if faults:
            raise Unsound(faults)
        self.settling = Settling(self.features, self.signs, self.tables, self.settings.slip)
        self.gated = tuple(f.key for f in self.features if self.gates[f.key] is not TRUE)
        self.hangs_on: Mapping[RuleKey, tuple[int, ...]] = {
            key: tuple(sorted(self.signs.signs_of(verdict)))
            for key, verdict in self.verdicts.items()
        }
        self.reads: Mapping[RuleKey, tuple[FeatureKey, ...]] = {
            key: tuple(
                dict.fromkeys(self.features[self.signs.owner[sign]].key for sign in hangs_on)
            )
            for key, hangs_on in self.hangs_on.items()
        }
        self.gate_hangs_on: Mapping[FeatureKey, tuple[int, ...]] = {
            key: tuple(sorted(self.signs.signs_of(self.gates[key]))) for key in self.gated
        }
        self.rules_reading: dict[FeatureKey, list[RuleKey]] = {}
        for rule, features_read in self.reads.items():
            for key in features_read:
                self.rules_reading.setdefault(key, []).append(rule)
        self.feeds_emergency = frozenset(
            feature
            for rule in self.rules
            if rule.urgency is Urgency.EMERGENCY_NOW
            for feature in features_of(self.expressions[rule.key])
        )

    def feature(self, key: FeatureKey) -> Feature:
        """Return the feature. Raises UnknownFeature if there is none with this key."""
        try:
            return self._features[key]
        except KeyError:
            raise UnknownFeature(f"there is no feature “{key}”") from None

    def condition(self, key: ConditionKey) -> Condition:
        return self._conditions[key]

    def rule(self, key: RuleKey) -> Rule:
        return self._rules[key]
