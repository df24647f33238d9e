"""What helps whoever writes a rule, worked out while it is typed."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_POST

from triage.content.choices import Urgency
from triage.content.models import Topic
from triage.content.rule_help import Vocabulary, help_with
from triage.staff.pages import staff_page

from .page import page


@staff_page("content.view_topic")
@require_POST
def checked(request: HttpRequest) -> HttpResponse:
    """Check the rule of a form, as it is typed: that of a red flag, or when a question is asked."""
    posted = request.POST
    number = posted.get("topic", "")
    topic = Topic.objects.filter(pk=int(number)).first() if number.isdecimal() else None
    is_gate = "asked_if" in posted
    text = posted.get("asked_if" if is_gate else "rule", "").replace("\r\n", "\n")
    caret, urgency = posted.get("caret", ""), posted.get("urgency", "")
    context = (
        help_with(
            text,
            topic,
            caret=int(caret) if caret.isdecimal() else len(text),
            gate_of=posted.get("key", "") if is_gate else None,
            urgency=urgency if urgency in Urgency.values else "",
            key=posted.get("key", ""),
        )
        if topic
        else {"topic": None, "text": text}
    )
    if "HX-Request" in request.headers:
        return render(request, "content/rule_check.html", context)
    return page(request, "content/rule.html", title="Check of a rule", **context)


@staff_page("content.view_topic")
def names(request: HttpRequest, topic: str) -> HttpResponse:
    """List every name that a rule may use, or those in which a word occurs."""
    found = get_object_or_404(Topic, key=topic)
    word = request.GET.get("word", "")
    vocabulary = Vocabulary(found)
    shown = vocabulary.matching(word) if word.strip() else vocabulary.names
    if "HX-Request" in request.headers:
        return render(request, "content/names_found.html", {"names": shown})
    return page(
        request,
        "content/names.html",
        title="Names for rules",
        topic=found,
        names=shown,
        word=word,
    )
