from django import template
from django.db.models import Count, Q, QuerySet

from triage.content.models import Topic

register = template.Library()


@register.simple_tag
def topics_of_the_desk() -> QuerySet[Topic]:
    """Return all topics, each with whether a change of it waits for a decision."""
    waiting = Count("proposals", filter=Q(proposals__state__in=["submitted", "approved"]))
    return Topic.objects.annotate(waiting=waiting)
