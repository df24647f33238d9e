from django import template

from triage.handover.note import Note, note_of
from triage.handover.summary import Summary

register = template.Library()


@register.filter
def as_note(summary: Summary, reference: str = "") -> Note:
    return note_of(summary, reference=reference)
