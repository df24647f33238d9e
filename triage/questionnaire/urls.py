from django.urls import path

from . import conditions, health, views

app_name = "questionnaire"
urlpatterns = [
    path("", views.start, name="start"),
    path("checks/<slug:topic>", views.start, name="start_of"),
    path("check/begin", views.begin, name="begin"),
    path("check/<int:number>", views.question, name="question"),
    path("check/voice", views.voice, name="voice"),
    path("check/answers", views.answers, name="answers"),
    path("check/finish", views.finish, name="finish"),
    path("check/outcome", views.outcome, name="outcome"),
    path("check/resume", views.resume, name="resume"),
    path("check/delete", views.delete, name="delete"),
    path("check/deleted", views.deleted, name="deleted"),
    path("guide", views.page, {"name": "guide"}, name="guide"),
    path("privacy", views.page, {"name": "privacy"}, name="privacy"),
    path("accessibility", views.page, {"name": "accessibility"}, name="accessibility"),
    path("about", views.page, {"name": "about"}, name="about"),
    path("complain", views.page, {"name": "complain"}, name="complain"),
    path("not-for-me/no-lump", views.page, {"name": "no_lump"}, name="no_lump"),
    path("not-for-me/elsewhere", views.page, {"name": "elsewhere"}, name="elsewhere"),
    path("not-for-me/danger", views.page, {"name": "danger"}, name="danger"),
    path("conditions/", conditions.index, name="conditions"),
    path("conditions/<str:key>", conditions.condition, name="condition"),
    path("sitemap.xml", conditions.sitemap, name="sitemap"),
    path("robots.txt", conditions.robots, name="robots"),
    path("emergency", views.emergency, name="emergency"),
    path("healthz", health.alive, name="healthz"),
    path("readyz", health.ready, name="readyz"),
]
