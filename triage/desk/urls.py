from django.urls import path

from . import evidence_views, people, views

app_name = "desk"
urlpatterns = [
    path("", views.waiting, name="waiting"),
    path("live", views.live, name="live"),
    path("visits/<int:visit>/seen", views.acknowledge, name="acknowledge"),
    path("pick-up", people.pick_up, name="pick_up"),
    path("people/<int:pk>", people.person, name="person"),
    path("people/<int:pk>/open", people.open_it, name="open"),
    path("people/<int:pk>/note", people.note, name="note"),
    path("people/<int:pk>/fhir", people.fhir, name="fhir"),
    path("people/<int:pk>/receipt", people.receipt, name="receipt"),
    path("people/<int:pk>/done", people.done, name="done"),
    path("verdict", evidence_views.verdict, name="verdict"),
    path("evidence", evidence_views.show_evidence, name="evidence"),
    path("evidence.csv", evidence_views.evidence_csv, name="evidence_csv"),
]
