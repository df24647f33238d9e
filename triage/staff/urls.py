from django.urls import path

from . import views

app_name = "staff"
urlpatterns = [
    path("code/", views.code, name="code"),
    path("phone/", views.phone, name="phone"),
    path("second-factor/", views.second_factor, name="second_factor"),
    path("recovery-codes/", views.recovery_codes, name="recovery_codes"),
    path("kept/", views.kept_post, name="kept"),
    path("confirm/", views.confirm, name="confirm"),
]
