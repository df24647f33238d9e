"""The two forms of a trial: what is tried out and how, and what a case is kept as."""

from typing import Any

from django import forms

from triage.content.choices import Urgency
from triage.content.knowledge import Content
from triage.content.models import Proposal, Snapshot, Topic
from triage.content.places import language_here

from .models import Assessment
from .pages import WAYS


class BeginForm(forms.Form):
    what = forms.ChoiceField(label="What to try", widget=forms.RadioSelect, initial="drafts")
    way = forms.ChoiceField(
        label="How the back is checked",
        choices=[(voice.value, way) for voice, way in WAYS.items()],
        initial=Assessment.Voice.TEXT,
    )

    def __init__(self, *args: Any, topic: Topic, **options: Any) -> None:
        super().__init__(*args, **options)
        self._open = {
            str(proposal.pk): proposal
            for proposal in topic.proposals.filter(state__in=["submitted", "approved"])
            .select_related("snapshot")
            .defer("snapshot__document")
        }
        self.fields["what"].choices = [  # type: ignore[attr-defined] # a choice
            ("drafts", "The drafts as they are now"),
            *((key, f"What was submitted: “{each.why}”") for key, each in self._open.items()),
        ]

    @property
    def snapshot(self) -> Snapshot | None:
        """The snapshot that was submitted; None for the drafts of now."""
        proposal: Proposal | None = self._open.get(self.cleaned_data["what"])
        return proposal.snapshot if proposal else None

    @property
    def voice(self) -> Assessment.Voice:
        return Assessment.Voice(self.cleaned_data["way"])


class CaseForm(forms.Form):
    key = forms.SlugField(
        label="Short name", help_text="Small letters, digits and -: “boil-with-fever”."
    )
    story = forms.CharField(
        widget=forms.Textarea(attrs={"rows": 3, "cols": 60}),
        help_text="Who it is, in a line or two. Never a name, a birthday or an address.",
    )
    causes = forms.MultipleChoiceField(
        label="Causes that would be right",
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text="None ticked: only the urgency is judged.",
    )
    at_least = forms.ChoiceField(label="Urgency, at least")
    at_most = forms.ChoiceField(label="Urgency, at the most")

    def __init__(self, *args: Any, assessment: Assessment, **options: Any) -> None:
        super().__init__(*args, **options)
        content: Content = assessment.content
        wording = content.wording(language_here())
        names = sorted(
            (wording.condition(condition.key).plain_name, condition.key)
            for condition in content.knowledge.conditions
        )
        self.fields["causes"].choices = [(key, name) for name, key in names]  # type: ignore[attr-defined] # a choice
        for name in ("at_least", "at_most"):
            self.fields[name].choices = [("", "Not judged"), *Urgency.choices]  # type: ignore[attr-defined] # likewise
            self.fields[name].required = False

    def clean(self) -> dict[str, Any]:
        said: dict[str, Any] = super().clean() or {}
        least, most = said.get("at_least"), said.get("at_most")
        if least and most and Urgency.values.index(least) > Urgency.values.index(most):
            self.add_error("at_most", "This is less urgent than “at least”.")
        return said

    @property
    def expected(self) -> dict[str, Any]:
        """What would be right, as a line of a file of cases says it."""
        said = {
            "conditions": self.cleaned_data["causes"],
            "urgency_at_least": self.cleaned_data["at_least"],
            "urgency_at_most": self.cleaned_data["at_most"],
        }
        return {name: value for name, value in said.items() if value}
