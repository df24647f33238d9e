"""What the template of an effect asks of its row."""

from django import template

from triage.content.effect_tables import Tables, tables_of
from triage.content.effects import is_given_up
from triage.content.models import Effect

register = template.Library()


@register.filter
def tables(effect: Effect) -> Tables:
    return tables_of(effect)


@register.filter
def given_up(effect: Effect) -> bool:
    return is_given_up(effect)
