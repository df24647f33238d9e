"""The same packs in pyAgrum and pgmpy, each asked by the fastest of its own routes that we found.

Both are given P'(outcome | condition), and what does not change between people is worked out
beforehand, the conditional entropies too. The model is built once; the evidence changes each time.
"""

import math
import warnings
from collections.abc import Mapping

import numpy as np
import pyagrum

from triage.engine import FeatureKey

from ._packs import Pack
from ._plain import best

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # pgmpy warns of its own modules at import
    from pgmpy.factors.discrete import TabularCPD
    from pgmpy.inference import VariableElimination
    from pgmpy.models import DiscreteBayesianNetwork

LOG_2 = math.log(2)

type Array = np.ndarray[tuple[int, ...], np.dtype[np.float64]]


class Peer:
    """What is alike: from the marginals of all variables to the next question."""

    def __init__(self, pack: Pack) -> None:
        self.pack = pack
        self.entropies = np.array(
            [
                -sum(np.array(row) * np.log(row) for row in variable.likelihoods)
                for variable in pack.variables
            ]
        )

        self.asked = [
            [place for place, v in enumerate(pack.variables) if v.feature in candidates]
            for candidates in pack.open
        ]

    def observed(self, turn: int) -> Mapping[int, int]:
        return self.pack.observed[turn % len(self.pack.observed)]

    def candidates(self, turn: int) -> list[int]:
        """The variables of the features that may be asked."""
        return self.asked[turn % len(self.asked)]

    def gains(self, surprises: Mapping[int, float], weights: Array) -> dict[FeatureKey, float]:
        """Return H(O) - H(O | C) of every feature that has a variable in `surprises`, its H(O)."""
        known = self.entropies @ weights
        gains: dict[FeatureKey, float] = {}
        for place, surprise in surprises.items():
            feature = self.pack.variables[place].feature
            gains[feature] = gains.get(feature, 0.0) + surprise - float(known[place])
        return gains


class PyAgrum(Peer):
    """Shafer-Shenoy: of its exact engines the fastest here, for one posterior as for all marginals
    (lazy propagation takes longer for the first and a hundred times as long for the second)."""

    def __init__(self, pack: Pack) -> None:
        super().__init__(pack)
        net = pyagrum.BayesNet()
        self.condition = net.add(pyagrum.LabelizedVariable("condition", "", len(pack.priors)))
        self.nodes = []
        for place, variable in enumerate(pack.variables):
            ways = len(variable.likelihoods)
            node = net.add(pyagrum.LabelizedVariable(f"v{place}", "", ways))
            net.addArc(self.condition, node)
            self.nodes.append(node)
        net.cpt(self.condition).fillWith(pack.priors)
        for node, variable in zip(self.nodes, pack.variables, strict=True):
            net.cpt(node)[:] = np.ascontiguousarray(np.transpose(variable.likelihoods))
        self.net = net  # the engines only refer to it
        self.alone = pyagrum.ShaferShenoyInference(net)
        self.alone.setTargets({self.condition})
        self.whole = pyagrum.ShaferShenoyInference(net)
        self.told: dict[int, dict[int, int]] = {id(self.alone): {}, id(self.whole): {}}

    def _tell(self, engine: pyagrum.ShaferShenoyInference, turn: int) -> None:
        """Change only the evidence that differs from the last time: the least that it can do."""
        told, now = self.told[id(engine)], self.observed(turn)
        for place in [place for place in told if place not in now]:
            engine.eraseEvidence(self.nodes[place])
            del told[place]
        for place, outcome in now.items():
            if place not in told:
                engine.addEvidence(self.nodes[place], outcome)
            elif told[place] != outcome:
                engine.chgEvidence(self.nodes[place], outcome)
            told[place] = outcome
        engine.makeInference()

    def posterior(self, turn: int) -> Array:
        self._tell(self.alone, turn)
        return np.asarray(self.alone.posterior(self.condition).toarray())

    def open_gains(self, turn: int) -> dict[FeatureKey, float]:
        engine = self.whole
        self._tell(engine, turn)
        weights = np.asarray(engine.posterior(self.condition).toarray())
        surprises = {
            place: engine.H(self.nodes[place]) * LOG_2  # it counts in bits
            for place in self.candidates(turn)
        }
        return self.gains(surprises, weights)

    def next_question(self, turn: int) -> FeatureKey:
        return best(self.pack, turn, self.open_gains(turn))


class Pgmpy(Peer):
    """Variable elimination in greedy order; a query for each marginal, as one query for all of them
    builds their joint table."""

    def __init__(self, pack: Pack) -> None:
        super().__init__(pack)
        names = [f"v{place}" for place in range(len(pack.variables))]
        model = DiscreteBayesianNetwork([("condition", name) for name in names])
        count = len(pack.priors)
        model.add_cpds(TabularCPD("condition", count, [[prior] for prior in pack.priors]))
        for name, variable in zip(names, pack.variables, strict=True):
            rows = [list(row) for row in variable.likelihoods]
            model.add_cpds(TabularCPD(name, len(rows), rows, ["condition"], [count]))
        self.engine = VariableElimination(model)
        self.evidence = [
            {names[place]: outcome for place, outcome in seen.items()} for seen in pack.observed
        ]

    def _query(self, name: str, turn: int) -> Array:
        told = self.evidence[turn % len(self.evidence)]
        answer = self.engine.query([name], told, elimination_order="greedy", show_progress=False)
        return np.asarray(answer.values)

    def posterior(self, turn: int) -> Array:
        return self._query("condition", turn)

    def open_gains(self, turn: int) -> dict[FeatureKey, float]:
        weights = self.posterior(turn)
        surprises = {}
        for place in self.candidates(turn):
            chances = self._query(f"v{place}", turn)
            surprises[place] = float(-(chances * np.log(chances)).sum())
        return self.gains(surprises, weights)

    def next_question(self, turn: int) -> FeatureKey:
        return best(self.pack, turn, self.open_gains(turn))
