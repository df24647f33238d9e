from django.conf.urls.i18n import i18n_patterns
from django.contrib import admin
from django.urls import include, path

from triage.staff.site import PREFIX

urlpatterns = [
    path(PREFIX, include("triage.staff.urls")),
    path(f"{PREFIX}topics/", include("triage.content.urls")),
    path(f"{PREFIX}desk/", include("triage.desk.urls")),
    path(PREFIX, include("triage.questionnaire.trial_urls")),
    path(PREFIX, admin.site.urls),
    path("api/v1/", include("triage.handover.api.urls")),
    # The address says the language: a page can be sent to somebody, and search engines find it.
    *i18n_patterns(
        path("", include("triage.questionnaire.urls")),
        path("", include("triage.handover.urls")),
        path("kiosk/", include("triage.kiosk.urls")),
        prefix_default_language=False,
    ),
]
handler400 = "triage.questionnaire.errors.bad_request"
handler403 = "triage.questionnaire.errors.forbidden"
handler404 = "triage.questionnaire.errors.not_found"
handler500 = "triage.questionnaire.errors.broken"
