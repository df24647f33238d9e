from django.urls import path

from . import views

app_name = "kiosk"
urlpatterns = [
    path("", views.attract, name="attract"),
    path("desk", views.desk, name="desk"),
    path("leave", views.leave, name="leave"),
    path("here", views.here, name="here"),
    path("more-time", views.more_time, name="more_time"),
    path("pulse", views.pulse, name="pulse"),
    path("known", views.known, name="known"),
    path("worker.js", views.worker, name="worker"),
    path("offline", views.offline, name="offline"),
    path("enrol", views.enrol, name="enrol"),
    path("menu", views.menu, name="menu"),
    path("menu/restart", views.restart, name="restart"),
    path("menu/language", views.language, name="language"),
    path("menu/close", views.close, name="close"),
    path("menu/print", views.test_print, name="test_print"),
]
