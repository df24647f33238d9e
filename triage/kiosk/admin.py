"""The kiosks as staff see them: where they stand, how they show the pages, and whether they are on."""

from datetime import timedelta
from typing import Any

import structlog
from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html, format_html_join
from django.utils.timesince import timesince
from django.views.decorators.http import require_http_methods

from triage.content.views.page import page
from triage.questionnaire import services as questionnaire
from triage.staff.pages import person, staff_page

from . import enrolment, pin
from .models import Terminal

SEEN_LATELY = timedelta(minutes=2)
IS_IT_ON, FOR_THE_RECORD = "Is it on?", "For the record"

log = structlog.get_logger("triage.kiosk")


class TerminalForm(forms.ModelForm):  # type: ignore[type-arg] # takes none when it runs
    language = forms.ChoiceField(
        label="It begins in",
        required=False,
        widget=forms.RadioSelect,
        help_text="After each person it goes back to this language.",
    )
    languages = forms.MultipleChoiceField(
        label="It offers",
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text="None ticked: every language that there is.",
    )
    pin = forms.CharField(
        label="PIN for staff at the kiosk",
        required=False,
        max_length=pin.LONGEST,
        validators=[pin.check_is_hard_to_guess],
        widget=forms.TextInput(
            attrs={"autocomplete": "off", "inputmode": "numeric", "spellcheck": "false"}
        ),
        help_text="4 to 8 digits. Press the top left corner of the kiosk for five seconds, and it asks"
        " for them. They open a small menu: start again, language, network and print test. Nobody can"
        " look a PIN up; leave this empty to keep the one there is.",
    )

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        for name in ("language", "languages"):
            if name in self.fields:
                self.fields[name].choices = settings.LANGUAGES  # type: ignore[attr-defined] # a choice
        if "language" in self.fields and not self.instance.language:
            self.initial["language"] = settings.LANGUAGE_CODE

    def clean(self) -> Any:
        said = super().clean()
        first, offered = self.cleaned_data.get("language"), self.cleaned_data.get("languages")
        if first and offered and first not in offered:
            self.add_error("languages", "Tick the language that it begins in as well.")
        return said


@admin.register(Terminal)
class TerminalAdmin(admin.ModelAdmin):  # type: ignore[type-arg] # as above
    form = TerminalForm
    actions = None
    list_display = ("place", "state", "seen", "has_pin")
    search_fields = ("place",)
    readonly_fields = ("state", "what_to_do", "seen", "pin_state", "made")
    fieldsets = (
        (None, {"fields": ("place", "help_text")}),
        (IS_IT_ON, {"fields": ("state", "seen", "what_to_do")}),
        ("Languages", {"fields": ("language", "languages")}),
        (
            "How long it waits",
            {
                "fields": ("idle_question", "idle_outcome", "warning"),
                "description": "In seconds. Too short, and people who read slowly are cut off; too"
                " long, and the next person sees what the last one answered.",
            },
        ),
        ("How it looks", {"fields": ("target", "controls_low", "sound")}),
        ("What people can take along", {"fields": ("prints", "shows_qr")}),
        ("Staff at the kiosk", {"fields": ("pin_state", "pin")}),
        (FOR_THE_RECORD, {"fields": ("made",)}),
    )

    class Media:
        css = {"all": ("content/admin.css",)}

    # What it says

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        fieldsets = super().get_fieldsets(request, obj)
        if obj is None:
            return [each for each in fieldsets if each[0] not in (IS_IT_ON, FOR_THE_RECORD)]
        return fieldsets

    @admin.display(description="added")
    def made(self, terminal: Terminal) -> str:
        return f"{_when(terminal.made_at).capitalize()}, by {terminal.made_by.get_username()}"

    @admin.display(description="state")
    def state(self, terminal: Terminal) -> str:
        now = timezone.now()
        if terminal.revoked_at:
            return f"Ended {_when(terminal.revoked_at)}: its screen is locked"
        if terminal.token_hash and terminal.enrolled_at:
            return f"Set up {_when(terminal.enrolled_at)}"
        if terminal.code_until and terminal.code_until > now:
            return f"Waits for its code until {_when(terminal.code_until)}"
        return "Not set up yet"

    @admin.display(description="last seen", ordering="seen_at")
    def seen(self, terminal: Terminal) -> str:
        if terminal.seen_at is None:
            return "Never"
        said = f"{timesince(terminal.seen_at)} ago"
        if not enrolment.is_open(terminal):
            return said
        if timezone.now() - terminal.seen_at <= SEEN_LATELY:
            return "On now"
        return f"{said}: is it switched on, and on the network?"

    @admin.display(description="PIN", boolean=True)
    def has_pin(self, terminal: Terminal) -> bool:
        return bool(terminal.pin_hash)

    @admin.display(description="PIN now")
    def pin_state(self, terminal: Terminal) -> str:
        if terminal.pin_locked_until and terminal.pin_locked_until > timezone.now():
            return (
                f"Locked after {pin.TRIES} wrong tries until {_when(terminal.pin_locked_until)}."
                " A new PIN opens it at once."
            )
        return "There is one." if terminal.pin_hash else "None: the menu stays shut."

    @admin.display(description="what to do")
    def what_to_do(self, terminal: Terminal) -> str:
        links = [("admin:kiosk_terminal_code", "Make a code, to set up a screen")]
        if enrolment.is_open(terminal):
            links.append(("admin:kiosk_terminal_revoke", "End it, and lock its screen"))
        return format_html(
            "<ul>{}</ul>",
            format_html_join(
                "",
                '<li><a href="{}">{}</a></li>',
                ((reverse(name, args=[terminal.pk]), text) for name, text in links),
            ),
        )

    # What it does

    def get_urls(self) -> list[URLPattern]:
        own = [
            path("<int:pk>/code/", code, name="kiosk_terminal_code"),
            path("<int:pk>/end/", revoke, name="kiosk_terminal_revoke"),
        ]
        return [*own, *super().get_urls()]

    def save_model(self, request: HttpRequest, obj: Terminal, form: Any, change: bool) -> None:
        who = person(request)
        if not change:
            obj.made_by, obj.made_at = who, timezone.now()
        if typed := form.cleaned_data.get("pin"):
            obj.pin_hash, obj.pin_tries, obj.pin_locked_until = pin.hashed(typed), 0, None
        if change:
            # Only what stands on the form: the kiosk itself writes to the row meanwhile.
            pin_fields = ["pin_hash", "pin_tries", "pin_locked_until"] if typed else []
            names = [name for name in form.changed_data if name != "pin"]
            obj.save(update_fields=[*names, *pin_fields])
        else:
            obj.save()
        log.info(
            "terminal_changed" if change else "terminal_added",
            terminal=obj.pk,
            place=obj.place,
            who=who.get_username(),
            fields=sorted(form.changed_data),
        )

    def response_add(self, request: HttpRequest, obj: Terminal, *args: Any) -> HttpResponse:
        """Lead on to what comes next: without its code it is only a row."""
        self.message_user(request, f"“{obj}” is there. Now make its code.", messages.SUCCESS)
        return HttpResponseRedirect(reverse("admin:kiosk_terminal_code", args=[obj.pk]))

    def delete_model(self, request: HttpRequest, obj: Terminal) -> None:
        log.info("terminal_deleted", terminal=obj.pk, place=obj.place, who=str(request.user))
        questionnaire.delete_at(device=obj.pk, now=timezone.now())
        super().delete_model(request, obj)


@staff_page("kiosk.change_terminal")
@require_http_methods(["GET", "POST"])
def code(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask before a code is made, and say it once."""
    terminal = get_object_or_404(Terminal, pk=pk)
    made = ""
    if request.method == "POST":
        made = enrolment.make_code(terminal=terminal, by=person(request), now=timezone.now())
    return page(
        request,
        "kiosk/code.html",
        title=f"Set up a screen: {terminal.place}",
        terminal_row=terminal,
        is_open=enrolment.is_open(terminal),
        code=made and f"{made[:4]} {made[4:]}",
        until=timezone.now() + enrolment.CODE_LASTS,
        there=request.build_absolute_uri(reverse("kiosk:enrol")),
        first=request.build_absolute_uri(reverse("kiosk:attract")),
    )


@staff_page("kiosk.change_terminal")
@require_http_methods(["GET", "POST"])
def revoke(request: HttpRequest, pk: int) -> HttpResponse:
    terminal = get_object_or_404(Terminal, pk=pk)
    if not enrolment.is_open(terminal):
        raise Http404
    if request.method == "POST":
        enrolment.revoke(terminal=terminal, by=person(request), now=timezone.now())
        messages.success(request, f"“{terminal}” is ended. Its screen sends people to the desk.")
        return HttpResponseRedirect(reverse("admin:kiosk_terminal_change", args=[pk]))
    return page(
        request,
        "kiosk/revoke.html",
        title=f"End the kiosk: {terminal.place}",
        terminal_row=terminal,
    )


def _when(moment: Any) -> str:
    local = timezone.localtime(moment)
    if local.date() == timezone.localdate():
        return f"at {date_format(local, 'H:i')}"
    return f"on {date_format(local, 'j F Y, H:i')}"
