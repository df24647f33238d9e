"""Bayesian networks of discrete nodes: read from BIF, drawn from, and made into knowledge.

Findings that hang together given the condition become members of one syndrome: a hidden cause whose
states are fitted, for each condition, to the network's own tables. No drawn patient is looked at.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import product

import numpy as np
import numpy.typing as npt

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

type Array = npt.NDArray[np.float64]
type Places = npt.NDArray[np.intp]
type Patients = Mapping[str, Places]
"""The place of every patient's state among those of each node."""

FLOOR = 1e-6
"""The share of each row that is spread evenly over its states, so that no chance is 0 or 1."""
FAINT = 1e-9
"""What is less likely than this given the condition is left out when a hidden cause is fitted."""
MOST = 4000
ROUNDS = 40
NEVER_EMPTY = 1e-200


@dataclass(frozen=True, slots=True, eq=False)
class Node:
    """`table` has an axis for each parent and then one for the node's own states."""

    name: str
    states: tuple[str, ...]
    parents: tuple[str, ...]
    table: Array


@dataclass(frozen=True)
class Network:
    """Nodes, of which each stands behind its parents."""

    nodes: tuple[Node, ...]

    @cached_property
    def by_name(self) -> Mapping[str, Node]:
        return {node.name: node for node in self.nodes}

    def __getitem__(self, name: str) -> Node:
        return self.by_name[name]

    def parts(self, condition: str) -> list[list[Node]]:
        """Return the nodes in parts that are independent of each other given the condition."""
        families = [{node.name, *node.parents} - {condition} for node in self.nodes]
        parts: list[set[str]] = []
        for family in filter(None, families):
            touched = [part for part in parts if part & family]
            parts = [part for part in parts if not part & family]
            parts.append(family.union(*touched))
        found = [[node for node in self.nodes if node.name in part] for part in parts]
        return sorted(found, key=lambda part: self.nodes.index(part[0]))


def read_bif(text: str) -> Network:
    """Read a network in the Bayesian interchange format, as bnlearn and pgmpy write it.

    Raises: ValueError if a table is not complete.
    """
    states = {
        name: tuple(re.split(r"\s*,\s*", values.strip()))
        for name, values in re.findall(
            r"variable\s+(\S+)\s*{\s*type\s+discrete\s*\[\s*\d+\s*\]\s*{([^}]*)}", text
        )
    }
    open_nodes: dict[str, Node] = {}
    for family, body in re.findall(r"probability\s*\(([^)]*)\)\s*{([^}]*)}", text):
        name, *parents = re.split(r"[\s|,]+", family.strip())
        table = np.full([len(states[key]) for key in (*parents, name)], np.nan)
        for given, row in re.findall(r"(?:table|\(([^)]*)\))([^;]*);", body):
            keys = re.split(r"\s*,\s*", given.strip()) if given else []
            place = tuple(states[p].index(key) for p, key in zip(parents, keys, strict=True))
            table[place] = [float(value) for value in row.split(",")]
        if np.isnan(table).any():
            raise ValueError(f"the table of “{name}” is not complete")
        open_nodes[name] = Node(name, states[name], tuple(parents), table)
    nodes: dict[str, Node] = {}
    while open_nodes:
        ready = [n for n in open_nodes.values() if all(p in nodes for p in n.parents)]
        if not ready:
            raise ValueError("the arcs of the network run in a circle")
        nodes[ready[0].name] = open_nodes.pop(ready[0].name)
    return Network(tuple(nodes.values()))


def drawn(network: Network, count: int, seed: int) -> Patients:
    """Return people drawn from the network, forwards, with one uniform number a node: a seed gives
    the same people everywhere."""
    draws = np.random.default_rng(seed).random((count, len(network.nodes)))
    found: dict[str, Places] = {}
    for node, draw in zip(network.nodes, draws.T, strict=True):
        rows = _rows(node, found)
        steps = np.cumsum(np.broadcast_to(rows, (count, len(node.states))), axis=1)
        below = draw[:, None] * steps[:, -1:] >= steps[:, :-1]
        found[node.name] = below.sum(axis=1)
    return found


def _rows(node: Node, found: Mapping[str, Places | int]) -> Array:
    """Return P(state | what the parents were found to be)."""
    return np.asarray(node.table[tuple(found[parent] for parent in node.parents)])


def posteriors(network: Network, condition: str, patients: Patients) -> Array:
    """Return P(condition | all other nodes), (people, C): the product of the table's entries."""
    count = len(patients[condition])
    logs = np.zeros((count, len(network[condition].states)))
    for place in range(logs.shape[1]):
        known = {**patients, condition: np.full(count, place)}
        for node in network.nodes:
            rows = np.broadcast_to(_rows(node, known), (count, len(node.states)))
            with np.errstate(divide="ignore"):  # what is impossible has a log of minus infinity
                logs[:, place] += np.log(rows[np.arange(count), known[node.name]])
    weights = np.exp(logs - logs.max(axis=1, keepdims=True))
    return np.asarray(weights / weights.sum(axis=1, keepdims=True))


@dataclass(frozen=True, slots=True)
class Cause:
    """What the findings of one part share. With one state they share nothing.

    chances  (C, S)     P(state | condition)
    members  (C, S, K)  P(finding | state, condition), by finding
    """

    chances: Array
    members: Mapping[str, Array]

    @property
    def marginals(self) -> Mapping[str, Array]:
        """P(finding | condition), (C, K)."""
        return {
            name: (self.chances[:, :, None] * table).sum(axis=1)
            for name, table in self.members.items()
        }


def causes_of(network: Network, condition: str, states: int) -> list[Cause]:
    """Return one hidden cause for each part, of so many states at most.

    Of one finding alone no state is hidden, and with `states` at 1 each stands alone.
    """
    causes = []
    for part in network.parts(condition):
        fits = [
            fitted(*configurations(network, condition, place, part), states if part[1:] else 1)
            for place in range(len(network[condition].states))
        ]
        most = max(len(chances) for chances, _ in fits)
        even = [_with_states(chances, members, most) for chances, members in fits]
        chances = np.array([chances for chances, _ in even])
        members = {
            node.name: np.array([members[node.name] for _, members in even]) for node in part
        }
        if most > 1:
            causes.append(Cause(chances, members))
        else:
            causes.extend(Cause(chances, {name: table}) for name, table in members.items())
    return causes


def priors_of(network: Network, condition: str) -> Array:
    """Return P(condition), (C,)."""
    part = _parents_part(network, condition)
    places = range(len(network[condition].states))
    weights = (
        np.array([_hubs(network, condition, place, part)[0].sum() for place in places])
        if part
        else network[condition].table
    )
    return np.asarray(weights / weights.sum())


def _parents_part(network: Network, condition: str) -> list[Node]:
    parents = network[condition].parents
    parts = network.parts(condition)
    return next((part for part in parts if any(n.name in parents for n in part)), [])


def configurations(
    network: Network, condition: str, place: int, part: Sequence[Node]
) -> tuple[Array, Mapping[str, Array]]:
    """Return all that the nodes of a part on which others hang can be together, given one state of
    the condition, and what the part's nodes then are.

    Shape:  (H,) weights that sum to 1, and (H, K) probabilities of each node.
    The faintest are left out, as are all but the first few thousand.
    """
    weights, hubs = _hubs(network, condition, place, part)
    known: dict[str, Places | int] = {**hubs, condition: place}
    return weights / weights.sum(), {
        node.name: (
            np.eye(len(node.states))[hubs[node.name]]
            if node.name in hubs
            else np.broadcast_to(_rows(node, known), (len(weights), len(node.states)))
        )
        for node in part
    }


def _hubs(
    network: Network, condition: str, place: int, part: Sequence[Node]
) -> tuple[Array, dict[str, Places]]:
    """Return what the part's parents can be together, and how likely that is, (H,)."""
    last = network[condition]
    parents = {parent for node in (*part, last) for parent in node.parents}
    weights, hubs = np.ones(1), dict[str, Places]()
    for node in part:
        if node.name not in parents:
            continue
        rows = _rows(node, {**hubs, condition: place})
        joint = weights[:, None] * np.broadcast_to(rows, (len(weights), len(node.states)))
        at, state = np.nonzero(joint > FAINT)
        order = np.argsort(-joint[at, state], kind="stable")[:MOST]
        at, state = at[order], state[order]
        weights = joint[at, state]
        hubs = {**{name: places[at] for name, places in hubs.items()}, node.name: state}
    if not hubs.keys().isdisjoint(last.parents):
        weights = weights * _rows(last, hubs)[:, place]
        order = np.argsort(-weights, kind="stable")
        order = order[weights[order] > 0]
        weights = weights[order]
        hubs = {name: places[order] for name, places in hubs.items()}
    return weights, hubs


def fitted(
    weights: Array, nodes: Mapping[str, Array], states: int
) -> tuple[Array, Mapping[str, Array]]:
    """Return a mixture of so many states at most that is near the joint distribution of the nodes.

    Shape:  weights (H,) and nodes (H, K) as `configurations` gives them; chances (S,), each node
            (S, K). The marginals are kept, but for the floor.
    Each state begins as one of the likeliest configurations, and stays so if there are no others;
    else each configuration is shared out among the states by how well they explain it, in so many
    rounds. This lowers an upper bound of the Kullback-Leibler distance, so the fit is good, not
    the best.
    Source: expectation maximisation, Dempster et al., J R Stat Soc B 1977;39:1-38; of latent
            classes, Lazarsfeld and Henry 1968.
    """
    count = min(states, len(weights))
    rounds = 0 if count == len(weights) else ROUNDS if count > 1 else 1
    sizes = [rows.shape[1] for rows in nodes.values()]
    even = np.concatenate([np.full(size, 1 / size) for size in sizes])
    joined = np.concatenate(list(nodes.values()), axis=1)
    table, chances = joined[:count], np.maximum(weights[:count], FAINT)
    for turn in range(rounds):
        floor = max(FLOOR, 0.01 * 0.5**turn)  # at first every state can explain a little of all
        scores = joined @ np.log((1 - floor) * table + floor * even).T + np.log(chances)
        shares = np.exp(scores - scores.max(axis=1, keepdims=True)) + NEVER_EMPTY
        shares *= (weights / shares.sum(axis=1))[:, None]
        chances = np.maximum(shares.sum(axis=0), FAINT)
        table = (shares.T @ joined) / shares.sum(axis=0)[:, None]
    chances = chances / chances.sum()
    table = table / _sums(table, sizes)
    table = (1 - FLOOR) * table + FLOOR * even
    ends = np.cumsum(sizes)[:-1]
    return chances, dict(zip(nodes, np.split(table, ends, axis=1), strict=True))


def _sums(table: Array, sizes: Sequence[int]) -> Array:
    """Return what each node's columns add up to, at each of its columns."""
    starts = np.cumsum([0, *sizes[:-1]])
    return np.repeat(np.add.reduceat(table, starts, axis=1), sizes, axis=1)


def _with_states(
    chances: Array, members: Mapping[str, Array], count: int
) -> tuple[Array, Mapping[str, Array]]:
    """Split the likeliest state until there are so many: it says the same, in more words."""
    first = int(np.argmax(chances))
    copies = count - len(chances)
    whole = np.concatenate([chances, np.full(copies, chances[first])])
    whole[[first, *range(len(chances), count)]] /= copies + 1
    return whole, {
        name: np.concatenate([table, np.repeat(table[first : first + 1], copies, axis=0)])
        for name, table in members.items()
    }


EXACT = Settings(temper=1.0, slip=0.0, gain_stop=0.0, lead_stop=1.0)
"""Nobody slips, all that is found counts in full, and nothing but the last question ends it."""


def knowledge_of(network: Network, condition: str, causes: Sequence[Cause]) -> Knowledge:
    """Return a topic in which every other node is a single choice among its states."""
    conditions = [ConditionKey(key) for key in network[condition].states]
    cells: dict[tuple[ConditionKey, FeatureKey, OptionKey], Likelihood] = {}
    for cause in causes:
        for name, table in cause.marginals.items():
            for key, row in zip(conditions, table, strict=True):
                for state, chance in zip(network[name].states, row, strict=True):
                    cells[key, FeatureKey(name), OptionKey(state)] = Likelihood(float(chance))
    return Knowledge(
        conditions=[
            Condition(key, float(prior), Urgency.SELF_CARE, raise_at=1.0)
            for key, prior in zip(conditions, priors_of(network, condition), strict=True)
        ],
        features=[
            Feature(
                FeatureKey(node.name),
                Kind.SINGLE,
                tuple(Option(OptionKey(state)) for state in node.states),
            )
            for node in network.nodes
            if node.name != condition
        ],
        rules=[],
        likelihoods=cells,
        syndromes=[
            _syndrome(network, conditions, cause) for cause in causes if cause.chances.shape[1] > 1
        ],
        settings=EXACT,
    )


def _syndrome(network: Network, conditions: Sequence[ConditionKey], cause: Cause) -> Syndrome:
    members = {}
    for name, table in cause.members.items():
        for (place, key), (at, state) in product(
            enumerate(conditions), enumerate(network[name].states)
        ):
            cells = tuple(map(float, table[place, :, at]))
            members[key, FeatureKey(name), OptionKey(state)] = cells
    return Syndrome(
        key=SyndromeKey(f"behind_{next(iter(cause.members))}"),
        states=tuple(StateKey(f"s{state}") for state in range(cause.chances.shape[1])),
        chances={
            key: tuple(map(float, row)) for key, row in zip(conditions, cause.chances, strict=True)
        },
        members=members,
    )


def evidence_of(network: Network, condition: str, patients: Patients, number: int) -> Evidence:
    """Return all that one person replies."""
    return Evidence(
        (
            FeatureKey(node.name),
            Chosen(frozenset({OptionKey(node.states[patients[node.name][number]])})),
        )
        for node in network.nodes
        if node.name != condition
    )
