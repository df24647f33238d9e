"""What a person posts, turned into a reply of the engine or into a sentence that says what to do."""

import re
from dataclasses import dataclass

from django.http import QueryDict
from django.utils.translation import gettext as _

from triage.content.knowledge import Wording
from triage.engine import (
    NOT_SURE,
    Chosen,
    Decline,
    Declined,
    Feature,
    Kind,
    Number,
    OptionKey,
    Reply,
    UnfitReply,
    UnknownOption,
    check_reply,
)

MOST_BUTTONS = 11  # a number from 0 to 10 is eleven radio buttons in a row; a longer range is typed

ONE_NUMBER = re.compile(r"(?P<before>\D*)(?P<digits>\d{1,9})(?P<after>\D*)")
REVISION = re.compile("[0-9]{1,9}")
SIGN_OR_POINT = ("-", "\N{MINUS SIGN}", "\N{EN DASH}", ".", ",")


@dataclass(frozen=True, slots=True)
class Choice:
    """One row of the list of answers."""

    value: str
    label: str
    checked: bool
    exclusive: bool
    divider_before: bool


class AnswerForm:
    """The form of one question; once it `is_valid`, `reply` is what was posted.

    Not one of Django's forms: their fields, widgets and widgets' templates took a quarter of an
    answer's time, and what they check the engine checks as well.
    """

    reply: Reply

    def __init__(
        self,
        posted: QueryDict | None = None,
        *,
        feature: Feature,
        wording: Wording,
        reply: Reply | None,
        revision: int,
    ) -> None:
        self.asked = feature
        self.wording = wording
        self.revision = revision
        self.posted = posted or QueryDict()
        self.shown = _shown(reply) if posted is None else posted.getlist("reply")
        self.errors: list[str] = []
        if posted is not None:
            try:
                self.reply = check_reply(feature, self._posted_reply())
            except (UnfitReply, UnknownOption):
                self.errors.append(self._contradiction or self.what_to_do)

    def is_valid(self) -> bool:
        return not self.errors

    @property
    def is_untouched(self) -> bool:
        return not self.shown and not self.errors

    @property
    def is_typed(self) -> bool:
        return self.asked.kind is Kind.NUMBER and not self._numbers

    @property
    def _numbers(self) -> range:
        """The numbers to choose from, where they are few."""
        low, high = self.asked.low, self.asked.high
        if self.asked.kind is not Kind.NUMBER or low is None or high is None:
            return range(0)
        return range(low, high + 1) if high - low < MOST_BUTTONS else range(0)

    @property
    def _labels(self) -> list[tuple[str, str]]:
        if self.asked.kind is Kind.NUMBER:
            return [(str(number), str(number)) for number in self._numbers]
        options = sorted(self.asked.options, key=lambda option: option.key == NOT_SURE)
        return [(option.key, self.wording.option(self.asked.key, option.key)) for option in options]

    @property
    def what_to_do(self) -> str:
        """The sentence for a reply that is missing or makes no sense."""
        match self.asked.kind:
            case Kind.NUMBER if self.is_typed:
                return _("%(name)s: enter a whole number from %(low)s to %(high)s") % {
                    "name": self.wording.feature_name(self.asked.key),
                    "low": self.asked.low,
                    "high": self.asked.high,
                }
            case Kind.NUMBER:
                return _("Select a number from %(low)s to %(high)s") % {
                    "low": self.asked.low,
                    "high": self.asked.high,
                }
            case Kind.SINGLE:
                return _("Select the answer that fits best")
            case Kind.MULTI:
                alone = [option.key for option in self.asked.options if option.exclusive]
                if not alone:
                    return _("Select all that fit")
                none = self.wording.option(self.asked.key, alone[0])
                return _("Select all that fit, or “%(none)s”") % {"none": none}

    @property
    def _contradiction(self) -> str:
        """The sentence for an answer that holds alone, ticked together with others."""
        if len(self.shown) < 2:
            return ""
        alone = {option.key for option in self.asked.options if option.exclusive}
        ticked = [label for key, label in self._labels if key in alone and key in self.shown]
        if not ticked:
            return ""
        return _("Select either “%(alone)s” or the other answers, not both") % {"alone": ticked[0]}

    @property
    def choices_view(self) -> list[Choice]:
        if self.is_typed:
            return []
        alone = {option.key for option in self.asked.options if option.exclusive} | {NOT_SURE}
        labels = self._labels
        last = len(labels)
        while last and labels[last - 1][0] in alone:
            last -= 1
        return [
            Choice(
                value=key,
                label=label,
                checked=key in self.shown,
                exclusive=self.asked.kind is Kind.MULTI and key in alone,
                divider_before=bool(index) and index == last,
            )
            for index, (key, label) in enumerate(labels)
        ]

    @property
    def typed(self) -> str:
        return self.shown[-1] if self.shown else ""

    @property
    def is_stale(self) -> bool:
        """Whether this was the form of another question, or carries no revision that we gave."""
        revision = self.posted.get("revision", "")
        return self.posted.get("feature") != self.asked.key or not REVISION.fullmatch(revision)

    @property
    def revision_shown(self) -> int:
        return int(self.posted.get("revision", ""))

    def _posted_reply(self) -> Reply:
        """Raises UnfitReply if the post makes no reply to any question."""
        if declined := self.posted.get("decline"):  # says more than what was ticked
            if declined not in Decline:
                raise UnfitReply(declined)
            return Declined(Decline(declined))
        match self.asked.kind:
            case Kind.NUMBER:
                return Number(whole_number(self.typed))
            case Kind.SINGLE:
                return Chosen(frozenset(map(OptionKey, self.shown[-1:])))
            case Kind.MULTI:
                return Chosen(frozenset(map(OptionKey, self.shown)))


def whole_number(typed: str) -> int:
    """Return a whole number as people type it: “34”, “34 years”, “٣٤”. Raises UnfitReply."""
    match = ONE_NUMBER.fullmatch(typed)
    if match is None or match["before"].rstrip().endswith(SIGN_OR_POINT):
        raise UnfitReply("no whole number")
    if any(character.isnumeric() for character in match["before"] + match["after"]):
        raise UnfitReply("more than one number")  # “3½”, “三4”
    return int(match["digits"])


def _shown(reply: Reply | None) -> list[str]:
    """Return what the form shows of an earlier reply."""
    match reply:
        case Chosen(options):
            return sorted(options)
        case Number(value):
            return [str(value)]
        case Declined() | None:
            return []
