"""The plain admin: every page loads, names its fields, and asks the database little."""

import re
from html.parser import HTMLParser

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from tests.staff.people import sign_in
from triage.content.copying import copy_topic
from triage.content.models import (
    Advice,
    AuditRecord,
    CalibrationStudy,
    Condition,
    Feature,
    GlossaryTerm,
    Likelihood,
    Option,
    RedFlag,
    Release,
    RiskGroup,
    Source,
    Syndrome,
    SyndromeChance,
    SyndromeMember,
    Topic,
    Translation,
)

DRAFTS = (
    *(Topic, Source, Condition, Feature, Option, Likelihood),
    *(Syndrome, RedFlag, RiskGroup, Advice, GlossaryTerm, Translation, CalibrationStudy),
)
NOT_SHIPPED = (RiskGroup, CalibrationStudy)
SHIPPED = [model for model in (*DRAFTS, Release) if model not in NOT_SHIPPED]


def list_of(model: type) -> str:
    return reverse(f"admin:content_{model.__name__.lower()}_changelist")


def form_of(model: type, pk: object = None) -> str:
    name = f"admin:content_{model.__name__.lower()}"
    return reverse(f"{name}_change", args=[pk]) if pk else reverse(f"{name}_add")


@pytest.fixture
def staff(release: Release) -> Client:
    """Somebody who may do everything that the admin lets anybody do."""
    return sign_in(Client(), User.objects.create_superuser("root"))


@pytest.fixture
def as_author(author: User) -> Client:
    return sign_in(Client(), author)


class Controls(HTMLParser):
    """Collects the labels of a page and the controls that nothing names."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.labelled: set[str | None] = set()
        self.controls: list[dict[str, str | None]] = []
        self.inline: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        named = dict(attributes)
        if tag == "label":
            self.labelled.add(named.get("for"))
        if tag in ("input", "select", "textarea") and named.get("type") not in ("hidden", "submit"):
            self.controls.append(named)
        if tag == "style" or (tag == "script" and not {"src", "type"} & named.keys()):
            self.inline.append(tag)
        self.inline += [name for name in named if name == "style" or name.startswith("on")]

    def nameless(self) -> list[dict[str, str | None]]:
        return [
            control
            for control in self.controls
            if not control.get("aria-label")
            and not control.get("aria-labelledby")
            and control.get("id") not in self.labelled
            and "__prefix__" not in str(control.get("name"))
        ]


def pages() -> list[tuple[str, type, str]]:
    kinds = [("list", model) for model in (*DRAFTS, Release)]
    kinds += [("add", model) for model in DRAFTS] + [("change", model) for model in SHIPPED]
    return [(f"{kind} {model.__name__}", model, kind) for kind, model in kinds]


@pytest.mark.sqlite
@pytest.mark.parametrize(("name", "model", "kind"), pages(), ids=[page[0] for page in pages()])
def test_a_page_loads_names_its_controls_and_has_nothing_inline(
    staff: Client, name: str, model: type, kind: str
) -> None:
    match kind:
        case "list":
            address = list_of(model)
        case "add":
            address = form_of(model)
        case _:
            address = form_of(model, model.objects.all()[0].pk)  # type: ignore[attr-defined]

    response = staff.get(address)

    assert response.status_code == 200
    page = Controls(response.content.decode())
    assert page.nameless() == []
    assert page.inline == []
    assert "no clinical sign-off" in response.content.decode()


def test_the_log_in_has_a_heading_and_says_that_the_content_is_not_signed_off(
    client: Client, release: Release
) -> None:
    page = client.get(reverse("admin:login")).content.decode()

    assert "<h1>Sign in</h1>" in page
    assert "no clinical sign-off" in page


@pytest.mark.parametrize("model", SHIPPED)
def test_a_list_asks_as_little_for_a_hundred_rows_as_for_one(staff: Client, model: type) -> None:
    staff.get(list_of(model))
    rows = model.objects.all()  # type: ignore[attr-defined]

    with CaptureQueriesContext(connection) as many:
        staff.get(list_of(model))
    with CaptureQueriesContext(connection) as one:
        staff.get(list_of(model), {"id__exact": rows[0].pk})

    assert len(many) <= len(one) + 1  # one more counts the rows that the filter leaves out
    assert len(many) <= 20


@pytest.mark.parametrize(
    ("model", "most"),
    [
        *((model, 25) for model in (Option, RedFlag, Likelihood)),
        *((model, 35) for model in (Feature, Condition)),  # they say where the row is used
        (Syndrome, 70),  # it reads the whole topic to say what does not fit
    ],
)
def test_a_form_asks_little_however_many_lines_it_has(
    staff: Client, model: type, most: int
) -> None:
    row = model.objects.all()[0]  # type: ignore[attr-defined]

    with CaptureQueriesContext(connection) as queries:
        staff.get(form_of(model, row.pk))

    assert len(queries) <= most


def typed(cell: Likelihood, number: str, note: str) -> dict[str, str | int]:
    """What somebody types into the form of one number."""
    return {
        "condition": cell.condition_id,
        "option": cell.option_id,
        "probability": number,
        "basis": cell.basis,
        "source": cell.source_id or "",
        "sample_size": "",
        "note": note,
        "why": "It was too high.",
    }


def test_the_list_of_numbers_leads_to_where_they_are_changed(staff: Client) -> None:
    cell = Likelihood.objects.get(condition__key="lipoma", option__key="soft")

    page = staff.get(list_of(Likelihood), {"id__exact": cell.pk}).content.decode()

    assert f'href="{form_of(Condition, cell.condition_id)}#feature-lump_feel"' in page
    assert 'href="/staff/topics/back-lump/grid/lump_feel"' in page
    assert 'name="form-0-probability"' not in page


def test_a_number_that_jumps_is_refused_in_its_own_form_too(
    as_author: Client, author: User
) -> None:
    cell = Likelihood.objects.get(condition__key="lipoma", option__key="soft")
    address = form_of(Likelihood, cell.pk)

    refused = as_author.post(address, typed(cell, "0.06", cell.note)).content.decode()
    assert "0.547 is live, and 0.06 is 9.12 times smaller" in refused
    assert as_author.post(address, typed(cell, "0.06", "Six of 100.")).status_code == 302

    cell.refresh_from_db()
    assert cell.probability == 0.06
    record = AuditRecord.objects.all()[0]
    assert (record.row, record.who, record.why) == (cell.pk, author, "It was too high.")


@pytest.mark.parametrize("number", ["0", "1", "90", "nan", "0,9", "inf", ""])
def test_a_number_that_is_no_probability_is_refused_with_the_reason(
    as_author: Client, number: str
) -> None:
    cell = Likelihood.objects.filter(basis="estimate")[0]

    response = as_author.post(form_of(Likelihood, cell.pk), typed(cell, number, cell.note))

    assert response.status_code == 200
    assert response.content.decode().count('class="errorlist') == 1
    before = cell.probability
    cell.refresh_from_db()
    assert cell.probability == before


def test_a_rule_that_cannot_be_read_is_refused_with_the_reason(as_author: Client) -> None:
    flag = RedFlag.objects.get(key="rf_fever")
    post = {
        field.name: field.value_from_object(flag)
        for field in RedFlag._meta.concrete_fields
        if field.name not in ("id", "needs_clinical_sign_off")
    }

    response = as_author.post(form_of(RedFlag, flag.pk), post | {"rule": "fever is yes"})

    assert "This is not in the rule language" in response.content.decode()
    assert RedFlag.objects.get(key="rf_fever").rule == flag.rule


def test_lists_show_whether_numbers_add_up(staff: Client) -> None:
    Likelihood.objects.filter(condition__key="lipoma", option__key="soft").update(probability=0.5)
    Condition.objects.filter(key="lipoma").update(prior_percent=11)
    soft = Option.objects.get(key="soft")

    numbers = staff.get(list_of(Likelihood), {"option__id__exact": soft.pk}).content.decode()
    conditions = staff.get(list_of(Condition)).content.decode()
    feature = staff.get(form_of(Feature, soft.feature_id)).content.decode()
    topic = staff.get(form_of(Topic, Topic.objects.get().pk)).content.decode()

    assert len(re.findall(r"should be 1<", numbers)) == 1
    assert "101, should be 100 %" in conditions
    assert re.search(r"They do not add up for:<ul><li>Fatty lump: [\d.]+, should be 1<", feature)
    assert "The priors add up to 1.01" in topic


def test_a_condition_shows_the_syndromes_that_it_brings(staff: Client) -> None:
    fracture = Condition.objects.get(key="traumatic_fracture")
    syndrome = Syndrome.objects.get(key="hurts_to_move")

    page = staff.get(form_of(Condition, fracture.pk)).content.decode()

    link = f'<a href="{form_of(Syndrome, syndrome.pk)}">{syndrome.plain_name}</a>: 0.75'
    assert link in page


def test_a_syndrome_names_the_question_with_each_answer_and_says_what_does_not_fit(
    staff: Client,
) -> None:
    syndrome = Syndrome.objects.get(key="ill_all_over")
    before = staff.get(form_of(Syndrome, syndrome.pk)).content.decode()
    SyndromeChance.objects.filter(syndrome=syndrome, condition__key="lipoma").update(
        probability=0.5
    )

    after = staff.get(form_of(Syndrome, syndrome.pk)).content.decode()

    assert "Fever: Yes</option>" in before
    assert "Nothing: the numbers fit." in before
    assert "2 in 100 with “lipoma” say “general_signs: unwell”" in after


def test_an_author_links_another_answer(as_author: Client) -> None:
    syndrome = Syndrome.objects.get(key="long_standing")
    slow = Option.objects.get(feature__key="lump_change", key="bigger_slow")
    post = {
        "topic": syndrome.topic_id,
        "key": syndrome.key,
        "name": syndrome.name,
        "plain_name": syndrome.plain_name,
        "plain_name_absent": syndrome.plain_name_absent,
        "explanation": syndrome.explanation,
        "document_paragraph": syndrome.document_paragraph,
        "chances-TOTAL_FORMS": "0",
        "chances-INITIAL_FORMS": "0",
        "members-TOTAL_FORMS": "1",
        "members-INITIAL_FORMS": "0",
        "members-0-option": slow.pk,
        "members-0-condition": "",
        "members-0-probability": "0.3",
        "members-0-basis": "estimate",
        "members-0-source": "",
        "members-0-note": "",
        "why": "It grows as slowly as the others.",
    }

    response = as_author.post(form_of(Syndrome, syndrome.pk), post)

    assert response.status_code == 302
    added = SyndromeMember.objects.get(syndrome=syndrome, option=slow)
    assert (added.probability, added.condition) == (0.3, None)


def test_a_rule_is_shown_as_the_computer_reads_it(staff: Client) -> None:
    flag = RedFlag.objects.get(key="rf_fever")

    page = staff.get(form_of(RedFlag, flag.pk)).content.decode()

    assert "Fever" in page
    assert "Any of" in page


def test_a_text_whose_english_has_changed_is_named_until_somebody_looks_at_its_translation(
    as_author: Client,
) -> None:
    Feature.objects.filter(key="fever").update(why_we_ask="Fever can mean an infection.")
    topic = form_of(Topic, Topic.objects.get().pk)
    stale = Translation.objects.get(place="features/fever/why_we_ask")
    form = form_of(Translation, stale.pk)

    assert "In “es”, features/fever/why_we_ask" in as_author.get(topic).content.decode()
    assert "Fever can mean an infection." in as_author.get(form).content.decode()

    said = {
        "topic": stale.topic_id,
        "language": "es",
        "place": stale.place,
        "text": "La fiebre puede ser señal de una infección.",
        "status": "translated",
        "why": "The English has changed.",
    }
    assert as_author.post(form, said).status_code == 302

    stale.refresh_from_db()
    assert stale.original == "Fever can mean an infection."
    assert "Nothing: every text is there, and of today." in as_author.get(topic).content.decode()


def test_a_translation_of_nothing_is_refused(as_author: Client) -> None:
    one = Translation.objects.get(place="features/fever/text")
    said = {"topic": one.topic_id, "language": "es", "text": "¿Fiebre?", "status": "draft"}

    page = as_author.post(form_of(Translation), said | {"place": "features/feber/text"})

    assert "No text of the topic has this place." in page.content.decode()
    assert not Translation.objects.filter(place="features/feber/text").exists()


@pytest.mark.parametrize("search", ["lipoma", "lump"])
@pytest.mark.parametrize("model", SHIPPED)
def test_every_list_can_be_searched(staff: Client, model: type, search: str) -> None:
    assert staff.get(list_of(model), {"q": search}).status_code == 200


def test_a_release_can_be_read_and_neither_made_changed_nor_deleted(
    staff: Client, release: Release
) -> None:
    page = staff.get(form_of(Release, release.pk))
    delete = reverse("admin:content_release_delete", args=[release.pk])

    assert release.sha256 in page.content.decode()
    assert len(page.content) < 100_000, "the document itself stays in the database"
    assert staff.get(form_of(Release)).status_code == 403
    assert staff.post(form_of(Release, release.pk), {"why": "Other."}).status_code == 403
    assert staff.post(delete, {"post": "yes"}).status_code == 403


def test_an_approver_reads_the_drafts_and_changes_nothing(approver: User) -> None:
    client = Client()
    sign_in(client, approver)
    lipoma = Condition.objects.get(key="lipoma")

    assert client.get(form_of(Condition, lipoma.pk)).status_code == 200
    assert client.post(form_of(Condition, lipoma.pk), {"name": "x"}).status_code == 403
    assert client.get(form_of(Condition)).status_code == 403


def test_an_empty_list_says_what_to_do_first_and_a_search_without_a_find_says_so(
    staff: Client,
) -> None:
    empty = staff.get(list_of(RiskGroup)).content.decode()
    unfound = staff.get(list_of(Condition), {"q": "nothing like it"}).content.decode()

    assert "No risk groups yet, and a topic can do without." in empty
    assert "None fits. Change the search or the filter." in unfound


def test_a_new_topic_begins_with_usual_numbers_and_leads_to_what_comes_first(
    as_author: Client,
) -> None:
    form = as_author.get(form_of(Topic)).context["adminform"].form
    given = {name: form[name].value() for name in form.fields if form[name].value() is not None}
    written = {
        "key": "sore-throat",
        "title": "Sore throat",
        "covers": "Sore throats.",
        "why": "New.",
    }
    written |= {"usual_questions_low": "2", "usual_questions_high": "3"}

    answer = as_author.post(form_of(Topic), given | written, follow=True)

    topic = Topic.objects.get(key="sore-throat")
    assert (topic.temper, topic.lead_stop, topic.document_paragraph) == (1, 0.85, "added")
    assert answer.redirect_chain[-1][0] == reverse("content:topic", args=[topic.key])
    assert "Write its questions first" in answer.content.decode()
    question = as_author.get(form_of(Feature), {"topic": topic.pk}).context["adminform"].form
    assert (question["order"].value(), question["topic"].value()) == (1, str(topic.pk))


def test_the_list_of_advice_leads_to_each_that_lacks_with_its_form_filled_in(
    as_author: Client,
) -> None:
    lipoma = Condition.objects.get(key="lipoma")
    Advice.objects.filter(key__in=("lipoma", "same_day")).delete()

    page = as_author.get(list_of(Advice)).content.decode()

    links = re.findall(r'<a href="([^"]*)">(Same day|Fatty lump)</a>', page)
    assert [name for _, name in links] == ["Same day", lipoma.plain_name]
    form = as_author.get(links[1][0].replace("&amp;", "&")).context["adminform"].form
    assert (form["scope"].value(), form["key"].value()) == ("condition", "lipoma")


def test_an_advice_for_what_there_is_not_is_refused_with_what_there_is(as_author: Client) -> None:
    topic = Topic.objects.get()
    said = {"topic": topic.pk, "scope": "floor", "key": "floor_se_gp", "why": "It lacks."}

    page = as_author.post(form_of(Advice), said).content.decode()

    assert "There is none with this key. There are: floor_see_gp." in page


def test_a_form_offers_what_belongs_to_its_topic_only(as_author: Client, author: User) -> None:
    topic = Topic.objects.get()
    other = copy_topic(topic, who=author, key="other-lump", name="Another", why="To compare.")
    group = RiskGroup.objects.create(
        topic=other, key="soft", name="Soft", urgency="routine", raise_at_percent=3
    )

    conditions = as_author.get(form_of(RiskGroup, group.pk)).context["adminform"].form
    page = as_author.get(form_of(Syndrome, other.syndromes.all()[0].pk))
    members = page.context["inline_admin_formsets"][0].formset.forms[0].fields

    assert {c.topic for c in conditions.fields["conditions"].queryset} == {other}
    assert {option.feature.topic for option in members["option"].queryset} == {other}


def test_a_form_is_told_what_is_found_of_its_row_and_of_no_other(as_author: Client) -> None:
    topic = Topic.objects.get()
    fever = topic.features.get(key="fever")
    Feature.objects.filter(key__in=("fever", "age")).update(purpose="")
    here = reverse("content:row_faults", args=[topic.key])

    form = as_author.get(form_of(Feature, fever.pk)).content.decode()
    found = as_author.get(here, {"form": form_of(Feature, fever.pk)}).content.decode()
    sound = as_author.get(here, {"form": form_of(Feature, fever.pk + 1)}).content.decode()

    assert f'hx-get="{here}?form=' in form
    assert "The question “fever”</a>: the field “purpose” is empty" in found
    assert "“age”" not in found
    assert "Nothing was found here" in sound
