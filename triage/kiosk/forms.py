"""What staff type at a terminal. Nothing is offered by the browser, and nothing kept there."""

from django import forms
from django.conf import settings
from django.http import QueryDict

from . import enrolment, pin
from .showing import Showing

NOTHING_KEPT = {
    "autocomplete": "off",
    "autocapitalize": "none",
    "spellcheck": "false",
    "inputmode": "numeric",
    "data-pad": "",
}


class TypedAnew(forms.TextInput):
    """What was wrong is gone when it is asked for again: a number pad has no way to mark it."""

    def format_value(self, value: str) -> None:
        return None


class CodeForm(forms.Form):
    code = forms.CharField(
        label=f"Code of {enrolment.DIGITS} digits",
        max_length=30,
        widget=TypedAnew(attrs={**NOTHING_KEPT, "autofocus": True}),
        error_messages={"required": "Type the code that the admin shows."},
    )


class PinForm(forms.Form):
    pin = forms.CharField(
        label="PIN",
        max_length=pin.LONGEST,
        widget=forms.PasswordInput(attrs={**NOTHING_KEPT, "autofocus": True}),
        error_messages={"required": "Type the PIN of this kiosk."},
    )


class LanguageForm(forms.Form):
    language = forms.ChoiceField(label="It begins in", widget=forms.RadioSelect)

    def __init__(self, posted: QueryDict | None = None, *, showing: Showing) -> None:
        super().__init__(posted, initial={"language": showing.language})
        names = dict(settings.LANGUAGES)
        choices = [(code, names[code]) for code in showing.languages]
        self.fields["language"].choices = choices  # type: ignore[attr-defined] # a ChoiceField
