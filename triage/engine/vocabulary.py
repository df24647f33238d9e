"""The parts of which knowledge is made. Values only: what they must obey is in `knowledge`."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import NewType, Self

ConditionKey = NewType("ConditionKey", str)
FeatureKey = NewType("FeatureKey", str)
OptionKey = NewType("OptionKey", str)
RuleKey = NewType("RuleKey", str)
SyndromeKey = NewType("SyndromeKey", str)
StateKey = NewType("StateKey", str)

NOT_SURE = OptionKey("not_sure")


class Urgency(IntEnum):
    """How long a person may wait at the most. `max()` is the safe one of two."""

    SELF_CARE = 0
    ROUTINE = 1
    URGENT_2_WEEKS = 2
    FEW_DAYS = 3
    SAME_DAY = 4
    EMERGENCY_NOW = 5

    @property
    def key(self) -> str:
        return self.name.lower()

    @classmethod
    def of(cls, key: str) -> Self:
        """Return the urgency with this key. Raises KeyError if there is none."""
        return cls[key.upper()]


class Kind(StrEnum):
    SINGLE = "single"
    MULTI = "multi"
    NUMBER = "number"


class Tier(StrEnum):
    SAFETY = "safety"
    CORE = "core"
    FOLLOW_UP = "follow_up"


class Observation(StrEnum):
    """What it takes to reply: memory, feeling, or somebody's eyes or hands on the back."""

    NONE = "none"
    SELF_FEEL = "self_feel"
    NEEDS_EYES = "needs_eyes"
    NEEDS_HANDS = "needs_hands"


class Decline(StrEnum):
    DONT_KNOW = "dont_know"
    CANT_SEE = "cant_see"
    RATHER_NOT_SAY = "rather_not_say"


class Basis(StrEnum):
    STUDY = "study"
    GUIDELINE = "guideline"
    ESTIMATE = "estimate"


class RuleKind(StrEnum):
    RED_FLAG = "red_flag"
    SCOPE = "scope"
    FLOOR = "floor"


@dataclass(frozen=True, slots=True)
class Option:
    """A possible reply. `low` and `high` are the inclusive band of a number feature's option.

    An exclusive option holds alone. One that is not scored has no likelihoods and only feeds rules.
    """

    key: OptionKey
    alarm: bool = False
    exclusive: bool = False
    scored: bool = True
    low: int | None = None
    high: int | None = None


@dataclass(frozen=True, slots=True)
class Feature:
    """One thing that one question asks. `low` and `high` bound the whole numbers it takes.

    `effort` is how long it takes to reply, in a unit that all features of a topic share.
    """

    key: FeatureKey
    kind: Kind
    options: tuple[Option, ...]
    tier: Tier = Tier.CORE
    asked_if: str = ""
    observation: Observation = Observation.NONE
    sensitive: bool = False
    required: bool = False
    low: int | None = None
    high: int | None = None
    effort: float = 1.0

    def has(self, key: OptionKey) -> bool:
        return any(option.key == key for option in self.options)

    @property
    def declines(self) -> tuple[Decline, ...]:
        """The ways to decline that are offered beside the options."""
        if self.required:
            return ()
        offered = []
        if not self.has(NOT_SURE):
            offered.append(Decline.DONT_KNOW)
        if self.observation in (Observation.NEEDS_EYES, Observation.NEEDS_HANDS):
            offered.append(Decline.CANT_SEE)
        if self.sensitive:
            offered.append(Decline.RATHER_NOT_SAY)
        return tuple(offered)


@dataclass(frozen=True, slots=True)
class Condition:
    """What may be wrong. `prior` and `raise_at` are probabilities in (0, 1)."""

    key: ConditionKey
    prior: float
    urgency: Urgency
    raise_at: float = 0.10
    serious: bool = False
    prior_basis: Basis = Basis.ESTIMATE


@dataclass(frozen=True, slots=True)
class RiskGroup:
    """Conditions that raise the urgency together, as all cancers at 3 % in NICE NG12."""

    key: str
    conditions: frozenset[ConditionKey]
    urgency: Urgency
    raise_at: float


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule over the evidence that sets a least urgency. `text` is in the rule language."""

    key: RuleKey
    kind: RuleKind
    urgency: Urgency
    text: str


@dataclass(frozen=True, slots=True)
class Likelihood:
    """P(option | condition), in (0, 1); `sample_size` is the n of the study, where one is known."""

    probability: float
    basis: Basis = Basis.ESTIMATE
    sample_size: int | None = None


@dataclass(frozen=True, slots=True)
class Syndrome:
    """A hidden cause that several findings share, so that together they count for less than the
    sum of them: being ill all over brings fever, shivers and tiredness at once.

    states   what it can be in, two or more; the first is its absence
    chances  P(state | condition), in the order of `states`, each in (0, 1); every row sums to 1
    members  P(option | state, condition), in the order of `states`, each in (0, 1); of a single
             choice or a number all options, of a multiple choice any of them

    Summed over its states, a member's chances are those of `Likelihood`.
    """

    key: SyndromeKey
    states: tuple[StateKey, ...]
    chances: Mapping[ConditionKey, tuple[float, ...]]
    members: Mapping[tuple[ConditionKey, FeatureKey, OptionKey], tuple[float, ...]]
    basis: Basis = Basis.ESTIMATE


@dataclass(frozen=True, slots=True)
class Settings:
    """How one topic's numbers are used.

    temper       share of each finding's weight that counts, for findings that go together
    slip         share of replies taken to be slips of the finger
    gain_stop    no feature that tells less than this (nats) is worth asking for
    lead_stop    a leading condition at this posterior settles the differential
    spread_*     standard deviation of a number's log-odds, by its basis
    """

    temper: float = 1.0
    slip: float = 0.02
    gain_stop: float = 0.05
    lead_stop: float = 0.85
    spread_estimate: float = 0.22
    spread_guideline: float = 0.18
    spread_study: float = 0.14
