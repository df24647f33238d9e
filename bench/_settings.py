"""The checker's own settings, and beside them what the bare round trip needs."""

import os
from typing import Any

from triage.settings import *  # noqa: F403 - the real ones, whatever they are
from triage.settings import DATABASES, INSTALLED_APPS, LOGGING, TEMPLATES

INSTALLED_APPS = [*INSTALLED_APPS, "bench.bare"]
TEMPLATES = [
    *TEMPLATES,
    {
        "NAME": "bare",
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {"context_processors": []},
    },
]

# What a write costs beside the wait for the disk: see --synchronous of bench.answer.
options: Any = DATABASES["default"]["OPTIONS"]
waits = f"synchronous={os.environ.get('BENCH_SYNCHRONOUS', 'FULL')}"
if "init_command" in options:  # SQLite
    options["init_command"] = options["init_command"].replace("synchronous=FULL", waits)

# Every log line is made as always, and then thrown away.
nowhere: Any = open(os.devnull, "w")  # noqa: SIM115 - for as long as the process lives
handlers: Any = LOGGING["handlers"]
LOGGING = {**LOGGING, "handlers": {"stdout": {**handlers["stdout"], "stream": nowhere}}}
