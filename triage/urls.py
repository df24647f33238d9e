from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("staff/", admin.site.urls),
    path("", include("triage.questionnaire.urls")),
]
handler400 = "triage.questionnaire.errors.bad_request"
handler403 = "triage.questionnaire.errors.forbidden"
handler404 = "triage.questionnaire.errors.not_found"
handler500 = "triage.questionnaire.errors.broken"
