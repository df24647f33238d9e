from django.urls import path

from . import views

app_name = "api"
urlpatterns = [
    path("step", views.step, name="step"),
    path("openapi.json", views.openapi, name="openapi"),
]
