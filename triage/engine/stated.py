"""The stated likelihoods as arrays, a feature at a time: what soundness looks at, and tables hold.

What a condition does not state is what the background says, if there is one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from .arrays import Array
from .spreads import spread_of, spread_of_cell
from .vocabulary import (
    Basis,
    Condition,
    ConditionKey,
    Feature,
    FeatureKey,
    Likelihood,
    OptionKey,
    Settings,
)

type CellKey = tuple[ConditionKey, FeatureKey, OptionKey]
type Cells = Mapping[CellKey, Likelihood]
type Background = Mapping[tuple[FeatureKey, OptionKey], Likelihood]


class Likelihoods(dict[CellKey, Likelihood]):
    """P(option | condition): those that are stated, and by key also those of the background."""

    def __init__(self, cells: Cells, background: Background | None) -> None:
        super().__init__(cells)
        self.background = background or {}

    def __missing__(self, key: CellKey) -> Likelihood:
        _, feature, option = key
        if (feature, option) in self.background:
            return self.background[feature, option]
        raise KeyError(key)


@dataclass(frozen=True, slots=True)
class Stated:
    """What is stated of one feature. K scored options, n conditions that state any of it.

    options          (K,)
    places           (n,)      those conditions, ascending
    plain, spreads   (K, n+b)  P(option | condition), NaN where it is missing, and the standard
                               deviation of its log-odds; with a background its own are the last
                               column, and fill what is not stated (b = 1)
    """

    feature: Feature
    options: tuple[OptionKey, ...]
    places: npt.NDArray[np.intp]
    plain: Array
    spreads: Array

    @property
    def has_background(self) -> bool:
        return bool(self.plain.shape[1] > len(self.places))

    def filled(self, numbers: Array, width: int) -> Array:
        """Return numbers like `plain` for all so many conditions, (K, C)."""
        if not self.has_background:
            return numbers
        whole = np.repeat(numbers[:, -1:], width, axis=1)
        whole[:, self.places] = numbers[:, :-1]
        return whole


@dataclass(slots=True)
class _Listed:
    """The cells of one feature, as they come."""

    columns: list[int] = field(default_factory=list)
    rows: list[int] = field(default_factory=list)
    plain: list[float] = field(default_factory=list)
    spreads: list[float] = field(default_factory=list)


class _Strays:
    """The spread of each number, whether it is sound or not."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.by_basis = {basis: spread_of(basis, settings) for basis in Basis}

    def of(self, cell: Likelihood) -> float:
        if cell.sample_size and cell.basis is Basis.STUDY and 0 < cell.probability < 1:
            return spread_of_cell(cell, self._settings)
        return self.by_basis[cell.basis]


def stated_of(
    conditions: Sequence[Condition],
    features: Sequence[Feature],
    cells: Cells,
    background: Background | None,
    settings: Settings,
) -> tuple[tuple[Stated, ...], tuple[CellKey, ...]]:
    """Return what is stated of every feature with scored options, and the keys of cells that are
    not in the topic. Takes time in proportion to the cells."""
    columns = {condition.key: place for place, condition in enumerate(conditions)}
    scored = {f.key: tuple(option.key for option in f.options if option.scored) for f in features}
    listed = {key: _Listed() for key, options in scored.items() if options}
    rows = {
        (feature, option): (listed[feature], row)
        for feature, options in scored.items()
        for row, option in enumerate(options)
    }
    stray = _Strays(settings)
    strange = []
    by_basis = stray.by_basis
    for key, cell in cells.items():
        condition, feature, option = key
        column = columns.get(condition)
        found = rows.get((feature, option))
        if column is None or found is None:
            strange.append(key)
            continue
        own, row = found
        own.columns.append(column)
        own.rows.append(row)
        own.plain.append(cell.probability)
        own.spreads.append(stray.of(cell) if cell.sample_size else by_basis[cell.basis])
    return (
        tuple(
            _stated(feature, scored[feature.key], listed[feature.key], background, stray)
            for feature in features
            if feature.key in listed
        ),
        tuple(strange),
    )


def _stated(
    feature: Feature,
    options: tuple[OptionKey, ...],
    listed: _Listed,
    background: Background | None,
    stray: "_Strays",
) -> Stated:
    places = np.array(sorted(set(listed.columns)), dtype=np.intp)
    plain = np.full((len(options), len(places)), np.nan)
    spreads = np.full_like(plain, np.nan)
    if background is not None:
        usual = [background.get((feature.key, option)) for option in options]
        own = [np.nan if cell is None else cell.probability for cell in usual]
        its = [np.nan if cell is None else stray.of(cell) for cell in usual]
        plain = np.tile(np.array(own)[:, None], len(places) + 1)
        spreads = np.tile(np.array(its)[:, None], len(places) + 1)
    at = (listed.rows, np.searchsorted(places, listed.columns))
    plain[at] = listed.plain
    spreads[at] = listed.spreads
    return Stated(feature, options, places, plain, spreads)
