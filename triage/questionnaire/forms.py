"""What a person posts, turned into a reply of the engine or into a sentence that says what to do."""

import re
from dataclasses import dataclass
from typing import Any

from django import forms
from django.http import QueryDict

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
SIGN_OR_POINT = ("-", "\N{MINUS SIGN}", "\N{EN DASH}", ".", ",")


@dataclass(frozen=True, slots=True)
class Choice:
    """One row of the list of answers."""

    value: str
    label: str
    checked: bool
    exclusive: bool
    divider_before: bool


class WholeNumber(forms.CharField):
    """A whole number as people type it: “34”, “34 years”, “٣٤”."""

    def to_python(self, value: Any) -> Any:
        match = ONE_NUMBER.fullmatch(super().to_python(value) or "")
        if match is None or match["before"].rstrip().endswith(SIGN_OR_POINT):
            return None
        if any(character.isnumeric() for character in match["before"] + match["after"]):
            return None  # “3½”, “三4”
        return int(match["digits"])


class AnswerForm(forms.Form):
    """The form of one question. `reply` is what it holds once it is valid."""

    feature = forms.CharField(widget=forms.HiddenInput)
    revision = forms.IntegerField(widget=forms.HiddenInput, min_value=0)

    def __init__(
        self,
        posted: QueryDict | None = None,
        *,
        feature: Feature,
        wording: Wording,
        reply: Reply | None,
        revision: int,
    ) -> None:
        super().__init__(
            posted,
            initial={"feature": feature.key, "revision": revision, "reply": _shown(reply)},
        )
        self.asked = feature
        self.wording = wording
        self.fields["reply"] = self._field()

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

    def _field(self) -> forms.Field:
        if self.is_typed:
            return WholeNumber(
                required=False,
                widget=forms.TextInput({"inputmode": "numeric", "autocomplete": "off"}),
            )
        errors = {
            "required": self.what_to_do,
            "invalid_choice": self.what_to_do,
            "invalid_list": self.what_to_do,
        }
        if self.asked.kind is Kind.MULTI:
            return forms.MultipleChoiceField(
                choices=self._labels,
                widget=forms.CheckboxSelectMultiple,
                required=False,
                error_messages=errors,
            )
        return forms.ChoiceField(
            choices=self._labels, widget=forms.RadioSelect, required=False, error_messages=errors
        )

    @property
    def what_to_do(self) -> str:
        """The sentence for a reply that is missing or makes no sense."""
        name = self.wording.feature_name(self.asked.key)
        match self.asked.kind:
            case Kind.NUMBER if self.is_typed:
                return (
                    f"Enter your {name[:1].lower()}{name[1:]} as a whole number"
                    f" from {self.asked.low} to {self.asked.high}"
                )
            case Kind.NUMBER:
                return f"Select a number from {self.asked.low} to {self.asked.high}"
            case Kind.SINGLE:
                return "Select the answer that fits best"
            case Kind.MULTI:
                alone = [option.key for option in self.asked.options if option.exclusive]
                none = self.wording.option(self.asked.key, alone[0]) if alone else ""
                return f"Select all that fit, or “{none}”" if none else "Select all that fit"

    @property
    def _contradiction(self) -> str:
        """The sentence for an answer that holds alone, ticked together with others."""
        posted = self.cleaned_data.get("reply")
        if not isinstance(posted, list) or len(posted) < 2:
            return ""
        alone = {option.key for option in self.asked.options if option.exclusive}
        ticked = [label for key, label in self._labels if key in alone and key in posted]
        return f"Select either “{ticked[0]}” or the other answers, not both" if ticked else ""

    @property
    def choices_view(self) -> list[Choice]:
        if self.is_typed:
            return []
        value = self["reply"].value()
        chosen = {str(key) for key in (value if isinstance(value, list) else [value])}
        alone = {option.key for option in self.asked.options if option.exclusive} | {NOT_SURE}
        labels = self._labels
        last = len(labels)
        while last and labels[last - 1][0] in alone:
            last -= 1
        return [
            Choice(
                value=key,
                label=label,
                checked=key in chosen,
                exclusive=self.asked.kind is Kind.MULTI and key in alone,
                divider_before=bool(index) and index == last,
            )
            for index, (key, label) in enumerate(labels)
        ]

    @property
    def is_stale(self) -> bool:
        """Whether this was the form of another question, or carries no revision that we gave."""
        return "revision" in self.errors or self.cleaned_data.get("feature") != self.asked.key

    @property
    def revision_shown(self) -> int:
        revision: int = self.cleaned_data["revision"]
        return revision

    @property
    def reply(self) -> Reply:
        reply: Reply = self.cleaned_data["reply"]
        return reply

    def clean(self) -> dict[str, Any]:
        declined = str(self.data.get("decline", ""))
        if declined:
            self.errors.pop("reply", None)  # the button pressed says more than what was ticked
        if "reply" not in self.errors:
            try:
                self.cleaned_data["reply"] = self._reply(declined)
            except (UnfitReply, UnknownOption):
                self.add_error("reply", self._contradiction or self.what_to_do)
        return self.cleaned_data

    def _reply(self, declined: str) -> Reply:
        """Raises UnfitReply or UnknownOption if the post makes no reply to this question."""
        value = self.cleaned_data.get("reply")
        reply: Reply
        if declined:
            if declined not in Decline:
                raise UnfitReply(declined)
            reply = Declined(Decline(declined))
        elif self.asked.kind is Kind.NUMBER:
            if value in (None, ""):
                raise UnfitReply("no number")
            reply = Number(int(value))
        else:
            keys = value if isinstance(value, list) else [value] if value else []
            reply = Chosen(frozenset(map(OptionKey, keys)))
        return check_reply(self.asked, reply)


def _shown(reply: Reply | None) -> str | int | list[str] | None:
    """Return what the widget shows of an earlier reply."""
    match reply:
        case Chosen(options):
            return sorted(options)
        case Number(value):
            return value
        case Declined() | None:
            return None
