"""What a person has replied, and why the rest is not known."""

from collections.abc import Iterable, Iterator, KeysView
from dataclasses import dataclass

from .errors import UnfitReply, UnknownOption
from .vocabulary import NOT_SURE, Decline, Feature, FeatureKey, Kind, OptionKey


@dataclass(frozen=True, slots=True)
class Chosen:
    options: frozenset[OptionKey]


@dataclass(frozen=True, slots=True)
class Number:
    value: int


@dataclass(frozen=True, slots=True)
class Declined:
    reason: Decline


type Reply = Chosen | Number | Declined


class Evidence:
    """All replies of one person, one for each feature, in the order in which they were first asked.

    A frozen value: `set` and `without` return another.
    """

    __slots__ = ("_replies",)

    def __init__(self, replies: Iterable[tuple[FeatureKey, Reply]] = ()) -> None:
        self._replies = dict(replies)

    def __iter__(self) -> Iterator[tuple[FeatureKey, Reply]]:
        return iter(self._replies.items())

    def __len__(self) -> int:
        return len(self._replies)

    def __contains__(self, feature: FeatureKey) -> bool:
        return feature in self._replies

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Evidence) and list(self) == list(other)

    def __hash__(self) -> int:
        return hash(tuple(self))

    def __repr__(self) -> str:
        return f"Evidence({list(self)!r})"

    @property
    def features(self) -> KeysView[FeatureKey]:
        return self._replies.keys()

    def get(self, feature: FeatureKey) -> Reply | None:
        return self._replies.get(feature)

    def set(self, feature: FeatureKey, reply: Reply) -> "Evidence":
        """Return the evidence with this reply, which keeps the place of an earlier one."""
        changed = Evidence.__new__(Evidence)
        changed._replies = {**self._replies, feature: reply}
        return changed

    def without(self, feature: FeatureKey) -> "Evidence":
        return Evidence((key, reply) for key, reply in self if key != feature)


def check_reply(feature: Feature, reply: Reply) -> Reply:
    """Return the reply in its one form: a don't-know is `not_sure` where the feature has that.

    Raises UnknownOption if it names an option that the feature lacks, and UnfitReply if it is of
    the wrong kind, out of range, contradictory, or declines in a way that is not offered.
    """
    match reply:
        case Declined(Decline.DONT_KNOW) if feature.has(NOT_SURE) and not feature.required:
            return Chosen(frozenset({NOT_SURE}))
        case Declined(reason):
            if reason not in feature.declines:
                raise UnfitReply(f"“{feature.key}” cannot be declined with “{reason}”")
        case Number(value):
            _check_number(feature, value)
        case Chosen(options):
            _check_options(feature, options)
    return reply


def _check_number(feature: Feature, value: int) -> None:
    if feature.kind is not Kind.NUMBER:
        raise UnfitReply(f"“{feature.key}” does not take a number")
    if isinstance(value, bool) or not isinstance(value, int):
        raise UnfitReply(f"“{feature.key}” takes whole numbers only")
    if feature.low is not None and value < feature.low:
        raise UnfitReply(f"{value} is below {feature.low}, the least that “{feature.key}” takes")
    if feature.high is not None and value > feature.high:
        raise UnfitReply(f"{value} is above {feature.high}, the most that “{feature.key}” takes")


def _check_options(feature: Feature, options: frozenset[OptionKey]) -> None:
    if feature.kind is Kind.NUMBER:
        raise UnfitReply(f"“{feature.key}” takes a number")
    for key in options:
        if not feature.has(key):
            raise UnknownOption(f"“{feature.key}” has no option “{key}”")
    if not options:
        raise UnfitReply(f"nothing is chosen for “{feature.key}”")
    if feature.kind is Kind.SINGLE and len(options) > 1:
        raise UnfitReply(f"“{feature.key}” takes one option")
    alone = {option.key for option in feature.options if option.exclusive}
    if len(options) > 1 and not alone.isdisjoint(options):
        raise UnfitReply(f"“{min(alone & options)}” of “{feature.key}” holds alone")


def reply_to_json(reply: Reply) -> list[str] | int | str:
    """Return the one JSON form of a reply: sorted options, a number, or the way it was declined."""
    match reply:
        case Chosen(options):
            return sorted(options)
        case Number(value):
            return value
        case Declined(reason):
            return reason.value


def reply_from_json(value: object) -> Reply:
    """Return the reply that `reply_to_json` gave. Raises UnfitReply for anything else."""
    match value:
        case bool():
            pass
        case int():
            return Number(value)
        case str() if value in Decline:
            return Declined(Decline(value))
        case list() if value and all(isinstance(key, str) for key in value):
            return Chosen(frozenset(map(OptionKey, value)))
    raise UnfitReply(f"{value!r} is no reply")
