"""What the engine refuses, each named for what happened."""

from typing import Self


class EngineError(Exception):
    """Whatever the engine refuses."""


class RuleError(EngineError):
    """A rule that is not written in the rule language."""


class Fault(str):
    """One reason why knowledge must not reach a patient: a sentence, and what of it is meant.

    part   the argument of `Knowledge`, such as “rules”; “options” are those of the features
    keys   of its row, or none where it is about all of them: an option has the keys of its feature
           and of itself, a likelihood those of its condition, feature and option
    field  of that row, if one is meant
    """

    __slots__ = ("field", "keys", "part")
    part: str
    keys: tuple[str, ...]
    field: str

    def __new__(cls, sentence: str, part: str = "", *keys: str, field: str = "") -> Self:
        fault = super().__new__(cls, sentence)
        fault.part, fault.keys, fault.field = part, keys, field
        return fault


class Unsound(EngineError):
    """Knowledge that must not reach a patient; `faults` holds a sentence for each reason."""

    def __init__(self, faults: tuple[Fault, ...]) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults


class UnknownFeature(EngineError):
    """A feature that the knowledge does not have."""


class UnknownOption(EngineError):
    """An option that the feature does not have."""


class UnfitReply(EngineError):
    """A reply that this feature cannot take: of the wrong kind, out of range, or contradictory."""
