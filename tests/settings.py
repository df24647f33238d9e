"""The settings under test, started as a deployment starts: the environment first."""

import os
import tempfile
from pathlib import Path

os.environ.setdefault("DEBUG_HTTP", "1")

from triage.settings import *  # noqa: F403 - the real ones, whatever they are
from triage.settings import BASE_DIR, DATABASES

# A file, not memory, so that tests meet WAL, locks and more than one connection; one for each
# process, so that two test runs do not meet each other. Django deletes it at the end.
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    DATABASES["default"]["TEST"] = {
        "NAME": Path(tempfile.gettempdir()) / f"triage-tests-{os.getpid()}.sqlite3"
    }

# Static files straight from their sources: no test has to collect them first.
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
WHITENOISE_AUTOREFRESH = WHITENOISE_USE_FINDERS = True

# Hashing a password properly takes a third of a second, for each user of each test.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
