"""Matrices with a column for each condition, kept whole or by what differs from the rest.

R rows, C conditions. Both kinds give the same numbers: rows by `matrix[rows]`, sums of rows by
`matrix.total(rows)`, and products by `matrix @ vector`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .arrays import Array

type Places = npt.NDArray[np.intp]

CHUNK = 16_384
"""So many stored places are multiplied at a time: what they take stays in the nearest caches."""


class Dense:
    """All of it; in single precision where that is asked for."""

    def __init__(self, array: Array, *, single: bool = False) -> None:
        self.array: npt.NDArray[np.float64 | np.float32] = array
        self._single = single
        if single:
            self.array = array.astype(np.float32)

    def __getitem__(self, rows: int | slice | Sequence[int] | Places) -> Array:
        return np.asarray(self.array[rows], dtype=np.float64)

    def total(self, rows: Sequence[int]) -> Array:
        """Return the sum of some rows, (C,)."""
        if not rows:
            return np.zeros(self.array.shape[1])
        if len(rows) == 1:
            return np.asarray(self.array[rows[0]], dtype=np.float64)
        return np.asarray(np.add.reduce(self.array.take(rows, axis=0), axis=0))

    def __matmul__(self, vector: Array) -> Array:
        if self._single:
            return np.asarray(self.array @ vector.astype(np.float32), dtype=np.float64)
        return np.asarray(self.array @ vector)


@dataclass(frozen=True, slots=True)
class Part:
    """Rows that differ from their base at the same places.

    rows    (m,)    which rows
    places  (n,)    the conditions, ascending
    values  (m, n)  the numbers there
    """

    rows: Places
    places: Places
    values: Array


@dataclass(frozen=True, slots=True)
class _Chunk:
    """Some parts with equally many rows: G parts, N places together.

    rows, base  (m, G); starts (G,), where each part begins; places (N,); values (m, N)
    """

    rows: Places
    base: Array
    starts: Places
    places: Places
    values: Array


class Sparse:
    """One number for the whole of each row, and others at some places."""

    def __init__(self, width: int, base: Array, parts: Sequence[Part]) -> None:
        self.width = width
        self.base = base
        self._chunks: list[_Chunk] = []
        self._at: dict[int, tuple[Places, Array]] = {}
        self._stored = 0
        heights: dict[int, list[Part]] = {}
        for part in parts:
            if len(part.rows) and len(part.places):
                heights.setdefault(len(part.rows), []).append(part)
        for alike in heights.values():
            waiting: list[Part] = []
            for part in alike:
                waiting.append(part)
                if sum(len(one.places) for one in waiting) >= CHUNK:
                    self._keep(waiting)
                    waiting = []
            if waiting:
                self._keep(waiting)

    def _keep(self, parts: Sequence[Part]) -> None:
        sizes = [len(part.places) for part in parts]
        starts = np.cumsum([0, *sizes[:-1]])
        rows = np.array([part.rows for part in parts], dtype=np.intp).T
        places = np.concatenate([part.places for part in parts])
        values = np.concatenate([part.values for part in parts], axis=1)
        self._chunks.append(_Chunk(rows, self.base[rows], starts, places, values))
        for part, start, size in zip(parts, starts.tolist(), sizes, strict=True):
            own = slice(start, start + size)
            for number, row in enumerate(part.rows.tolist()):
                self._at[row] = (places[own], values[number, own])

    def __getitem__(self, rows: int | slice | Sequence[int] | Places) -> Array:
        if isinstance(rows, int):
            return self._row(rows)
        numbers = range(len(self.base))[rows] if isinstance(rows, slice) else map(int, rows)
        return np.array([self._row(row) for row in numbers]).reshape(-1, self.width)

    def _row(self, row: int) -> Array:
        whole = np.full(self.width, self.base[row])
        if row in self._at:
            places, values = self._at[row]
            whole[places] = values
        return whole

    def total(self, rows: Sequence[int]) -> Array:
        """Return the sum of some rows, (C,)."""
        whole = np.full(self.width, sum(self.base[row] for row in rows))
        for row in rows:
            if row in self._at:
                places, values = self._at[row]
                whole[places] += values - self.base[row]
        return whole

    def __matmul__(self, vector: Array) -> Array:
        """Return the product. Numbers and vector must not be negative, so that none of it cancels:
        what a row's base is multiplied with is the rest of the vector, and never below 0."""
        whole = vector.sum()
        product = self.base * whole
        for chunk in self._chunks:
            told = vector.take(chunk.places)
            rest = np.maximum(whole - np.add.reduceat(told, chunk.starts), 0)
            sums = np.add.reduceat(chunk.values * told, chunk.starts, axis=1)
            sums += chunk.base * rest
            product[chunk.rows] = sums
        return np.asarray(product)


type Matrix = Dense | Sparse


def matrix_of(width: int, heights: Sequence[Part], *, sparse: bool, single: bool = False) -> Matrix:
    """Return the matrix whose rows are those of the parts in turn. The last place of every part is
    the base of its rows, if it is `width`; otherwise the part holds every place."""
    count = sum(len(part.rows) for part in heights)
    if sparse:
        base = np.zeros(count)
        for part in heights:
            base[part.rows] = part.values[:, -1]
        stored = [Part(part.rows, part.places[:-1], part.values[:, :-1]) for part in heights]
        return Sparse(width, base, stored)
    whole = np.empty((count, width))
    for part in heights:
        if len(part.places) and part.places[-1] == width:
            whole[part.rows] = part.values[:, -1:]
            whole[np.ix_(part.rows, part.places[:-1])] = part.values[:, :-1]
        else:
            whole[part.rows] = part.values
    return Dense(whole, single=single)
