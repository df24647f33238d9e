from django.urls import path

from . import views

app_name = "handover"
urlpatterns = [
    path("check/hand-over", views.begin, name="begin"),
    path("take/<slug:link>", views.take, name="take"),
]
