from django import template
from django.template.context import Context

from triage.questionnaire.languages import Link, links_of

register = template.Library()


@register.simple_tag(takes_context=True)
def other_languages(context: Context) -> list[Link]:
    """Return where this page stands in the other languages of the release that it shows; a page
    that stands with nothing behind it has no others."""
    request = context.get("request")
    return links_of(request, tuple(context["languages"])) if request else []
