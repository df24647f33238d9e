"""Exact inference by pgmpy: in networks that it reads itself, and in the network that a topic with
syndromes stands for, condition -> syndrome -> members."""

import warnings
from collections.abc import Mapping, Sequence

import numpy as np

from triage.engine import (
    Chosen,
    Condition,
    ConditionKey,
    Evidence,
    Feature,
    FeatureKey,
    Kind,
    Knowledge,
    Likelihood,
    Option,
    OptionKey,
    Settings,
    StateKey,
    Syndrome,
    SyndromeKey,
    Urgency,
)

from ._networks import Array

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # pgmpy warns of its own modules at import
    from pgmpy.factors.discrete import TabularCPD
    from pgmpy.inference import VariableElimination
    from pgmpy.models import DiscreteBayesianNetwork
    from pgmpy.readwrite import BIFReader

TICKED, UNTICKED = 0, 1


class Exact:
    """P(condition | evidence) by variable elimination, in greedy order."""

    def __init__(self, model: DiscreteBayesianNetwork, condition: str) -> None:
        self.condition = condition
        self.engine = VariableElimination(model)

    @classmethod
    def read(cls, bif: str, condition: str) -> "Exact":
        return cls(BIFReader(string=bif).get_model(), condition)

    def posterior(self, observed: Mapping[str, int | str]) -> Array:
        """Return (C,), in the order of the condition's states."""
        found = self.engine.query(
            [self.condition], observed, elimination_order="greedy", show_progress=False
        )
        return np.asarray(found.values)


class Equivalent:
    """The network that a topic stands for, slips allowed for, and a temper of 1."""

    def __init__(self, knowledge: Knowledge) -> None:
        self.knowledge = knowledge
        self.keys = [condition.key for condition in knowledge.conditions]
        model = DiscreteBayesianNetwork()
        count = len(self.keys)
        priors = [[condition.prior] for condition in knowledge.conditions]
        model.add_node("condition")
        model.add_cpds(TabularCPD("condition", count, priors))
        shared: dict[tuple[FeatureKey, OptionKey], Syndrome] = {}
        for syndrome in knowledge.syndromes:
            rows = np.array([syndrome.chances[key] for key in self.keys]).T
            model.add_edge("condition", f"syndrome {syndrome.key}")
            model.add_cpds(
                TabularCPD(
                    f"syndrome {syndrome.key}",
                    len(syndrome.states),
                    rows,
                    ["condition"],
                    [count],
                )
            )
            shared.update({member[1:]: syndrome for member in syndrome.members})
        for feature in knowledge.features:
            for options in variables_of(feature):
                name = _name(feature, options)
                behind = shared.get((feature.key, options[0]))
                rows = self._rows(feature, options, behind)
                parents, sizes = ["condition"], [count]
                if behind is not None:
                    parents.append(f"syndrome {behind.key}")
                    sizes.append(len(behind.states))
                model.add_edges_from([(parent, name) for parent in parents])
                model.add_cpds(TabularCPD(name, len(rows), rows, parents, sizes))
        model.check_model()
        self.exact = Exact(model, "condition")

    def _rows(
        self, feature: Feature, options: Sequence[OptionKey], syndrome: Syndrome | None
    ) -> Array:
        """Return P'(way it comes out | condition, state), (ways, C * S)."""
        ways = max(len(options), 2)
        if syndrome is None:
            cells = self.knowledge.likelihoods
            rows = np.array(
                [[cells[c, feature.key, o].probability for c in self.keys] for o in options]
            )
        else:
            rows = np.array(
                [
                    np.ravel([syndrome.members[c, feature.key, o] for c in self.keys])
                    for o in options
                ]
            )
        slip = self.knowledge.settings.slip
        rows = (1 - slip) * rows + slip / ways
        return np.concatenate([rows, 1 - rows]) if feature.kind is Kind.MULTI else rows

    def posterior(self, evidence: Evidence) -> Array:
        observed: dict[str, int | str] = {}
        for key, reply in evidence:
            assert isinstance(reply, Chosen)  # the topics here have nothing else
            feature = self.knowledge.feature(key)
            for options in variables_of(feature):
                if feature.kind is Kind.MULTI:
                    way = TICKED if options[0] in reply.options else UNTICKED
                else:
                    way = next(at for at, option in enumerate(options) if option in reply.options)
                observed[_name(feature, options)] = way
        return self.exact.posterior(observed)


def variables_of(feature: Feature) -> list[tuple[OptionKey, ...]]:
    """Return the options of a single choice together, and those of a multiple choice one by one."""
    keys = tuple(option.key for option in feature.options if option.scored)
    return [(key,) for key in keys] if feature.kind is Kind.MULTI else [keys]


def _name(feature: Feature, options: Sequence[OptionKey]) -> str:
    return f"{feature.key}: {options[0]}" if feature.kind is Kind.MULTI else feature.key


def topic(chance: np.random.Generator) -> Knowledge:
    """Draw a small topic: single and multiple choices, some in syndromes of 2 or 3 states, whole or,
    for a multiple choice, in part, and some that stand alone."""

    def up_to(low: int, high: int) -> int:
        return low + int(chance.random() * (high - low + 1))

    def spread(ways: int) -> Array:
        row = 0.02 + chance.random(ways) ** 3
        return row / row.sum()

    keys = [ConditionKey(f"c{number}") for number in range(up_to(2, 6))]
    features = [
        Feature(
            FeatureKey(f"f{number}"),
            Kind.SINGLE if chance.random() < 0.6 else Kind.MULTI,
            tuple(Option(OptionKey(f"o{option}")) for option in range(up_to(2, 4))),
        )
        for number in range(up_to(4, 9))
    ]
    likelihoods: dict[tuple[ConditionKey, FeatureKey, OptionKey], Likelihood] = {}
    states = [
        tuple(StateKey(f"s{state}") for state in range(up_to(2, 3))) for _ in range(up_to(1, 3))
    ]
    chances = [{key: spread(len(own)) for key in keys} for own in states]
    members: list[dict[tuple[ConditionKey, FeatureKey, OptionKey], tuple[float, ...]]] = [
        {} for _ in states
    ]
    variables = [(feature, options) for feature in features for options in variables_of(feature)]
    alone = len(states)
    places = [up_to(0, alone) for _ in variables]
    places = [place if places.count(place) > 1 else alone for place in places]
    for (feature, options), place in zip(variables, places, strict=True):
        for key in keys:
            if place == alone:
                shares, kinds = np.ones(1), 1
            else:
                shares, kinds = chances[place][key], len(states[place])
            if feature.kind is Kind.MULTI:
                table = 0.02 + 0.96 * chance.random((kinds, 1))
            else:
                table = np.array([spread(len(options)) for _ in range(kinds)])
            for option, column in zip(options, table.T, strict=True):
                cell = (key, feature.key, option)
                likelihoods[cell] = Likelihood(float(shares @ column))
                if place != alone:
                    members[place][cell] = tuple(map(float, column))
    priors = spread(len(keys))
    return Knowledge(
        conditions=[
            Condition(key, float(prior), Urgency.ROUTINE)
            for key, prior in zip(keys, priors, strict=True)
        ],
        features=features,
        rules=[],
        likelihoods=likelihoods,
        syndromes=[
            Syndrome(
                SyndromeKey(f"x{number}"),
                own,
                {key: tuple(map(float, row)) for key, row in rows.items()},
                cells,
            )
            for number, (own, rows, cells) in enumerate(zip(states, chances, members, strict=True))
            if cells
        ],
        settings=Settings(temper=1.0),
    )


def replies(knowledge: Knowledge, chance: np.random.Generator) -> Evidence:
    """Draw replies to about two features in three, whatever is likely."""
    given = []
    for feature in knowledge.features:
        draws = chance.random(len(feature.options))
        asked = chance.random() < 2 / 3
        best = feature.options[int(np.argmax(draws))].key
        ticked = {o.key for o, draw in zip(feature.options, draws, strict=True) if draw < 0.4}
        if feature.kind is Kind.SINGLE or not ticked:
            ticked = {best}
        if asked:
            given.append((feature.key, Chosen(frozenset(ticked))))
    return Evidence(given)
