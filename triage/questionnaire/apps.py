from django.apps import AppConfig


class QuestionnaireConfig(AppConfig):
    name = "triage.questionnaire"
