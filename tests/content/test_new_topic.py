"""A topic is made from nothing with the forms of the desk alone, and has no fault."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import models
from django.test import Client
from django.urls import reverse

from tests.staff.people import sign_in
from triage.content.documents import compile_release
from triage.content.faults import find_faults
from triage.content.knowledge import knowledge_from
from triage.content.models import Advice, Condition, Feature, RedFlag, Source, Topic
from triage.engine import (
    Ask,
    Chosen,
    Conclude,
    Evidence,
    FeatureKey,
    OptionKey,
    Urgency,
    next_step,
)

QUESTIONS = {
    "breathing": ("safety", "Is it hard {} to breathe?", True),
    "fever": ("core", "Is there a fever {}?", True),
    "one_side": ("core", "Is the pain {} much worse on one side?", False),
}
CONDITIONS = {
    "cold": (
        70,
        "self_care",
        "A cold makes the throat sore. It gets better by itself.",
        (1, 20, 10),
    ),
    "tonsillitis": (25, "routine", "Germs have made the throat swell.", (3, 70, 20)),
    "quinsy": (5, "same_day", "A deep swelling sits beside the throat.", (30, 80, 90)),
}
ANSWERS = (("yes", "Yes"), ("no", "No"), ("not_sure", "Not sure"))


class Desk:
    """Somebody at the forms: what is not filled in stays as the form offers it."""

    def __init__(self, client: Client) -> None:
        self.client = client

    def add(self, model: type[models.Model], query: dict[str, Any], **said: Any) -> None:
        address = reverse(f"admin:content_{model._meta.model_name}_add")
        self._post(
            f"{address}?{'&'.join(f'{name}={value}' for name, value in query.items())}", said
        )

    def change(self, row: models.Model, **said: Any) -> None:
        address = reverse(f"admin:content_{row._meta.model_name}_change", args=[row.pk])
        self._post(address, said)

    def _post(self, address: str, said: dict[str, Any]) -> None:
        page = self.client.get(address)
        forms = [page.context["adminform"].form]
        forms += [each.formset.management_form for each in page.context["inline_admin_formsets"]]
        offered = {
            form.add_prefix(name): form[name].value() for form in forms for name in form.fields
        }
        kept = {
            name: value
            for name, value in offered.items()
            if value is not None and value is not False
        }
        answer = self.client.post(address, {**kept, "why": "A new topic.", **said})
        assert answer.status_code == 302, answer.context["errors"] or answer.context["adminform"]


@pytest.fixture
def desk(author: User) -> Desk:
    return Desk(sign_in(Client(), author))


def test_a_topic_of_three_conditions_is_made_with_the_forms_alone(desk: Desk) -> None:
    desk.add(
        Topic,
        {},
        key="sore-throat",
        title="Sore throat",
        covers="For people with a sore throat. Most get better in a week.",
        usual_questions_low=2,
        usual_questions_high=3,
    )
    topic = Topic.objects.get(key="sore-throat")
    own = {"topic": topic.pk}
    desk.add(
        Source,
        {},
        key="throat_guide",
        citation="A guide to sore throats. 2026.",
        locator="A book",
        year="2026",
        how_checked="C",
        used_for_content="yes",
    )
    source = Source.objects.get(key="throat_guide")
    for key, (tier, text, alarm) in QUESTIONS.items():
        _ask(desk, own, key, tier, text, alarm=alarm)
    for key, (prior, urgency, summary, _) in CONDITIONS.items():
        desk.add(
            Condition,
            own,
            key=key,
            kind="ranked",
            name=key.title(),
            plain_name=f"The {key}",
            plain_summary=summary,
            how_found="A nurse looks at the throat.",
            how_treated="Rest and drinks help.",
            prior_percent=prior,
            prior_basis="estimate",
            urgency=urgency,
            raise_at_percent=10,
            target_time="soon",
            sources=[source.pk],
        )
        _number(desk, topic.conditions.get(key=key))
    desk.add(
        RedFlag,
        own,
        key="rf_airway",
        kind="red_flag",
        urgency="emergency_now",
        rule="breathing == 'yes'",
        plain_rule="It is hard to breathe.",
        title="Hard to breathe",
        message="Call {emergency_number} now.",
        why_clinician="A threatened airway.",
        sources=[source.pk],
    )
    _advise(desk)

    assert find_faults(topic) == []
    knowledge = knowledge_from(compile_release(topic))
    first = next_step(knowledge, Evidence())
    assert isinstance(first, Ask)
    assert first.feature == "breathing"
    choking = Evidence([(FeatureKey("breathing"), Chosen(frozenset({OptionKey("yes")})))])
    end = next_step(knowledge, choking)
    assert isinstance(end, Conclude)
    assert end.disposition.urgency is Urgency.EMERGENCY_NOW


def _ask(desk: Desk, own: dict[str, int], key: str, tier: str, text: str, *, alarm: bool) -> None:
    said: dict[str, Any] = {"options-TOTAL_FORMS": "3"}
    for place, (answer, shown) in enumerate(ANSWERS):
        line = f"options-{place}"
        said |= {f"{line}-key": answer, f"{line}-text": shown, f"{line}-order": place + 1}
        said |= {f"{line}-document_paragraph": "added"}
        said |= {f"{line}-exclusive": "on"} if answer == "not_sure" else {f"{line}-scored": "on"}
        said |= {f"{line}-alarm": "on"} if alarm and answer == "yes" else {}
    desk.add(
        Feature,
        own,
        key=key,
        name=key.replace("_", " ").title(),
        section="the throat",
        tier=tier,
        kind="single",
        text=text.format("for you"),
        text_helper=text.format("for them"),
        text_other=text.format("for the person"),
        why_we_ask="It tells the causes apart.",
        purpose="tells the causes apart",
        **said,
    )


def _number(desk: Desk, condition: Condition) -> None:
    said: dict[str, Any] = {}
    page = desk.client.get(reverse("admin:content_condition_change", args=[condition.pk]))
    numbers = dict(zip(QUESTIONS, CONDITIONS[condition.key][3], strict=True))
    for group in page.context["table"].groups:
        for entry in group.entries:
            yes = numbers[group.feature.key]
            share = yes if entry.option.key == "yes" else 100 - yes
            said |= {f"seen-{entry.id}": entry.seen, f"probability-{entry.id}": share / 100}
            said |= {f"basis-{entry.id}": "estimate"}
    desk.change(condition, **said)


def _advise(desk: Desk) -> None:
    """Write each advice that the list says is lacking, from its own link."""
    page = desk.client.get(reverse("admin:content_advice_changelist"))
    ((_, wanted),) = page.context["lacking"]
    for address, name in wanted:
        query = dict(pair.split("=") for pair in address.partition("?")[2].split("&"))
        desk.add(
            Advice,
            query,
            heading=name,
            what_to_do="Ask {gp_surgery} for help.",
            self_care="Rest. Drink often.",
            safety_net="Call {emergency_number} if it gets hard to breathe.",
            do_not="Do not smoke.",
        )
