from django.urls import path

from . import views

app_name = "desk"
urlpatterns = [
    path("", views.waiting, name="waiting"),
    path("live", views.live, name="live"),
    path("visits/<int:visit>/seen", views.acknowledge, name="acknowledge"),
]
