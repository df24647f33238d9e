"""Forms that ask why, and undo nobody's work: what somebody did not touch stays as others left it."""

import json
from hashlib import blake2s
from typing import Any

from django import forms
from django.db.models import Model, QuerySet
from django.forms import model_to_dict


def mark(value: Any) -> str:
    """Return a short mark of a field's value, the same for the stored value and the typed one."""
    match value:
        case QuerySet() | list():
            value = sorted(row.pk for row in value)
        case Model():
            value = value.pk
        case str():
            value = value.replace("\r\n", "\n").strip()
        case _:
            pass  # a number or a tick is its own mark
    return blake2s(repr(value).encode(), digest_size=6).hexdigest()


class ReasonedForm(forms.ModelForm):  # type: ignore[type-arg] # takes none when it runs
    why = forms.CharField(
        label="Why, for the record",
        widget=forms.Textarea(attrs={"rows": 2, "cols": 90}),
        help_text="What was wrong, and what this mends: whoever approves it reads this.",
    )


class CarefulForm(ReasonedForm):
    """Carries a mark of each field as it was when the page was made."""

    seen = forms.CharField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        names = [name for name in self.fields if name not in ("seen", "why")]
        self._stored = model_to_dict(self.instance, names) if self.instance.pk else {}
        marks = {name: mark(value) for name, value in self._stored.items()}
        self.fields["seen"].initial = json.dumps(marks)

    def clean(self) -> Any:
        said = super().clean()
        seen, refused = self._seen(), []
        for name, value in self._stored.items():
            now = mark(value)
            if name not in self.cleaned_data or seen.get(name, now) == now:
                continue
            typed = mark(self.cleaned_data[name])
            if typed == seen[name]:
                own = getattr(self.instance, name)
                self.cleaned_data[name] = own if isinstance(own, Model) else value
            elif typed != now:
                refused.append(name)
                seen[name] = now
                self.add_error(
                    name,
                    "Somebody has changed this since you opened the page. It is now:"
                    f" {self._shown(value).rstrip('.')}. Save again if yours is to stand.",
                )
        if refused:
            self.data = self.data.copy()  # type: ignore[attr-defined] # a QueryDict
            self.data["seen"] = json.dumps(seen)  # type: ignore[index] # likewise, a copy
        return said

    def _seen(self) -> dict[str, str]:
        try:
            seen = json.loads(self.cleaned_data.get("seen") or "{}")
        except ValueError:
            return {}
        return seen if isinstance(seen, dict) else {}

    def _shown(self, value: Any) -> str:
        if isinstance(value, list):
            return ", ".join(map(str, value)) or "nothing"
        return str(value if value not in (None, "") else "empty")
