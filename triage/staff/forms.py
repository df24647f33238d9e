"""What is asked of somebody who signs in."""

from typing import Any

from django import forms
from django.contrib.admin.forms import AdminAuthenticationForm
from django.http import HttpRequest

from . import signing_in


class NameAndPassword(AdminAuthenticationForm):
    error_messages = {
        "invalid_login": "This name and this password do not belong together. Both are case-sensitive.",
        "inactive": "This account is closed.",
    }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["username"].label = "User name"


class CodeForm(forms.Form):
    code = forms.CharField(
        max_length=30,
        widget=forms.TextInput(
            attrs={
                "autocomplete": "one-time-code",
                "autocapitalize": "none",
                "autofocus": True,
                "spellcheck": "false",
            }
        ),
    )

    def refuse(self, why: Exception) -> None:
        """Say why the code did not open anything."""
        match why:
            case signing_in.TooSoon(seconds=1):
                text = "After a wrong code the next one counts a second later. Try again."
            case signing_in.TooSoon(seconds=seconds):
                text = f"After wrong codes you have to wait. Try again in {seconds} seconds."
            case _:
                text = (
                    "This code is wrong or was used already. A code holds for half a minute: wait"
                    " for the next one. If that is refused too, look whether your phone's clock"
                    " is right."
                )
        self.add_error("code", text)


class PasswordForm(forms.Form):
    password = forms.CharField(
        label="Password",
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password", "autofocus": True}),
    )

    def __init__(self, *args: Any, request: HttpRequest, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.request = request

    def clean_password(self) -> str:
        password: str = self.cleaned_data["password"]
        if not signing_in.confirm(request=self.request, password=password):
            raise forms.ValidationError("This is not your password.")
        return password
