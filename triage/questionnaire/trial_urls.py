"""Where staff begin and end the trial of a draft; its pages are the patients' own."""

from django.urls import path

from . import trial_views

urlpatterns = [
    path("topics/<slug:topic>/try", trial_views.begin, name="try"),
    path("trial", trial_views.end, name="trial"),
]
