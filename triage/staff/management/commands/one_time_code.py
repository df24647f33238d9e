from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError

from triage.staff.signing_in import TooSoon, next_code, phone_of


class Command(BaseCommand):
    help = "Say the code that a demonstration person's phone would show."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name")

    def handle(self, *, name: str, **options: Any) -> str:
        if not settings.DEBUG_HTTP:
            raise CommandError("This is a real service: codes come from people's own phones.")
        person = User.objects.filter(username=name).first()
        phone = person and phone_of(person)
        if phone is None:
            raise CommandError(f"“{name}” is nobody's name here, or they have no phone.")
        try:
            return next_code(phone)
        except TooSoon as wait:
            raise CommandError(f"Wait {wait.seconds} seconds for a code not used yet.") from None
