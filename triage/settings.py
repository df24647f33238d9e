"""All settings, the only place that reads the environment.

What a deployment must set stops the start by its name (see `required`). `DEBUG_HTTP=1`, which
only `dev.py run` sets, means plain HTTP on this machine and fills in demonstration values.
"""

import os
import secrets
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured
from django.utils.csp import CSP
from environs import EnvValidationError, FileAwareEnv

# One thread for each matrix product: four workers with two BLAS threads each fight over two cores.
# It counts only where it is set before numpy is first imported.
for threads in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(threads, "1")

BASE_DIR = Path(__file__).resolve().parent.parent

env = FileAwareEnv(eager=False)  # X_FILE is read where X is a secret kept in a file

DEBUG_HTTP = env.bool("DEBUG_HTTP", False)


def required(name: str, demonstration: str) -> str:
    """Return a setting that a real deployment cannot do without."""
    return env.str(name, demonstration) if DEBUG_HTTP else env.str(name)


# What the deployment is

SECRET_KEY = required("SECRET_KEY", secrets.token_urlsafe(50))
hosts = required("ALLOWED_HOSTS", "127.0.0.1,localhost,[::1]")
OPERATOR = required("OPERATOR", "")  # a demonstration has nobody, and says so in every language
COMPLAINTS = required("COMPLAINTS", "")
CLINICAL_SAFETY_OFFICER = env.str("CLINICAL_SAFETY_OFFICER", "")
DATA_DIR = env.path("DATA_DIR", BASE_DIR / "var")
STATIC_ROOT = env.path("STATIC_ROOT", BASE_DIR / "var" / "static")
DATABASE_URL = env.str("DATABASE_URL", "")
SQLITE_WAL_RISK_ACCEPTED = env.bool("SQLITE_WAL_RISK_ACCEPTED", False)
LOG_LEVEL = env.str("LOG_LEVEL", "INFO")
# How many proxies of ours a request passes. With a wrong number everybody shares one address, or
# anybody can choose theirs.
PROXY_COUNT = env.int("PROXY_COUNT", 0)

TIME_ZONE = env.str("TIME_ZONE", "Europe/London")
USE_I18N = True
USE_TZ = True
FORMAT_MODULE_PATH = "triage.formats"

# The languages in which this place speaks to patients: its own, and others beside it. A release is
# shown only in those of them in which every text of it is there.

INTERFACES = {"en": "English", "es": "Español"}
LOCALE_PATHS = [BASE_DIR / "locale"]
LANGUAGE_CODE = env.str("LANGUAGE_CODE", "en-gb")
LANGUAGE, _, COUNTRY = LANGUAGE_CODE.partition("-")

# Whom people are sent to. Content says {emergency_number}, never a number; the number belongs to the
# country, whatever is spoken there, and the names of services to the language as well.
EMERGENCY_NUMBERS = {"gb": "999"}
SERVICES = {
    "en-gb": {
        "urgent_advice_line": "NHS 111",
        "emergency_department": "A&E",
        "gp_surgery": "your GP surgery",
        "pharmacist": "pharmacist",
        "cancer_team_line": "your cancer team's helpline",
    },
    "es-gb": {
        "urgent_advice_line": "NHS 111",
        "emergency_department": "urgencias del hospital (A&E)",
        "gp_surgery": "su centro de salud (GP)",
        "pharmacist": "profesional de farmacia",
        "cancer_team_line": "la línea de su equipo de oncología",
    },
}
OTHER_LANGUAGES = env.list(
    "OTHER_LANGUAGES", [code for code in ("es",) if DEBUG_HTTP and LANGUAGE_CODE == "en-gb"]
)
LANGUAGES = [
    (code, INTERFACES[code.partition("-")[0]])
    for code in dict.fromkeys([LANGUAGE_CODE, *OTHER_LANGUAGES])
    if code.partition("-")[0] in INTERFACES
]
if unspoken := {LANGUAGE, *OTHER_LANGUAGES} - set(INTERFACES):
    raise ImproperlyConfigured(
        f"There is no interface in {', '.join(sorted(unspoken))}; there are: {', '.join(INTERFACES)}."
        " See LANGUAGE_CODE and OTHER_LANGUAGES."
    )


def named(variable: str, default: str | None) -> str:
    """A locale without defaults has to say all of them itself: a wrong emergency number can kill."""
    return env.str(variable) if default is None else env.str(variable, default)


EMERGENCY_NUMBER = named("EMERGENCY_NUMBER", EMERGENCY_NUMBERS.get(COUNTRY))
PLACEHOLDERS = {
    language: {"emergency_number": EMERGENCY_NUMBER}
    | {
        name: named(
            name.upper() if language == LANGUAGE else f"{name.upper()}_{language.upper()}",
            SERVICES.get(f"{language}-{COUNTRY}", {}).get(name),
        )
        for name in SERVICES["en-gb"]
    }
    for language in (LANGUAGE, *OTHER_LANGUAGES)
}

try:
    env.seal()
except EnvValidationError as error:
    raise ImproperlyConfigured(
        f"Set these environment variables before starting: {', '.join(sorted(error.error_messages))}."
    ) from None

ALLOWED_HOSTS = [host.strip() for host in hosts.split(",") if host.strip()]

# The application

DEBUG = False
INSTALLED_APPS = [
    "triage",
    "triage.content",
    "triage.questionnaire",
    "triage.handover",
    "triage.kiosk",
    "triage.desk",
    "django_htmx",
    "axes",
    "django_otp",
    "django_otp.plugins.otp_static",
    "django_otp.plugins.otp_totp",
    "triage.staff.apps.StaffConfig",  # after axes, whose count of wrong tries its log goes by
    "triage.staff.apps.AdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
]
MIDDLEWARE = [
    "triage.desk.middleware.answer_at_a_glance",
    "triage.middleware.log_request",
    "triage.questionnaire.middleware.try_out_drafts",
    "triage.handover.api.middleware.answer_in_json",
    "triage.middleware.speak_as_the_address_says",
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.csp.ContentSecurityPolicyMiddleware",
    "django_permissions_policy.PermissionsPolicyMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "triage.middleware.close_the_page",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    # Safe against BREACH: Django masks the CSRF token anew and pads each page with random bytes.
    "django.middleware.gzip.GZipMiddleware",
    "triage.middleware.LimitThePost",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "triage.kiosk.middleware.KnowTerminal",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "triage.questionnaire.middleware.SayItInWords",
    "triage.staff.middleware.KnowStaff",
    "axes.middleware.AxesMiddleware",
]
ROOT_URLCONF = "triage.urls"
WSGI_APPLICATION = "triage.wsgi.application"
TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "OPTIONS": {
            "loaders": [
                (
                    "django.template.loaders.cached.Loader",
                    [
                        "triage.loaders.Unindented",
                        "django.template.loaders.app_directories.Loader",
                    ],
                )
            ],
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "triage.questionnaire.context.site",
            ],
        },
    },
]
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 12},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
]
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "django.contrib.auth.backends.ModelBackend",
]
FIXTURE_DIRS = [BASE_DIR / "fixtures"]

# The database

if DATABASE_URL.startswith(("postgres://", "postgresql://")):
    from psycopg.conninfo import conninfo_to_dict

    parts: dict[str, Any] = conninfo_to_dict(DATABASE_URL)
    DATABASES: dict[str, dict[str, Any]] = {
        "default": {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": parts.pop("dbname", ""),
            "USER": parts.pop("user", ""),
            "PASSWORD": parts.pop("password", ""),
            "HOST": parts.pop("host", ""),
            "PORT": parts.pop("port", ""),
            "CONN_MAX_AGE": 60,
            "CONN_HEALTH_CHECKS": True,
            "OPTIONS": {
                # A stuck query must end as a page with the emergency line, not as a spinning tab.
                "options": "-c statement_timeout=5s -c lock_timeout=3s"
                " -c idle_in_transaction_session_timeout=10s",
                "connect_timeout": 5,
                **parts,
            },
        }
    }
elif not DATABASE_URL or DATABASE_URL.startswith("sqlite:///"):
    if not DATABASE_URL:
        DATA_DIR.mkdir(mode=0o700, parents=True, exist_ok=True)
    DATABASES = {
        "default": {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": urlsplit(DATABASE_URL).path[1:] or DATA_DIR / "triage.sqlite3",
            "CONN_MAX_AGE": None,
            "OPTIONS": {
                "timeout": 5,
                # Without IMMEDIATE a read that turns into a write fails at once as "locked".
                "transaction_mode": "IMMEDIATE",
                # FULL: an acknowledged answer outlives a power cut. secure_delete: a deleted one
                # is overwritten, not merely unlinked.
                "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
                " PRAGMA secure_delete=ON; PRAGMA journal_size_limit=67108864;",
            },
        }
    }
else:
    raise ImproperlyConfigured("DATABASE_URL must start with postgresql:// or sqlite:///.")

# Static files

STATIC_URL = "/static/"  # absolute, or it would follow the pages of a draft that is tried out
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "triage.static_files.SmallStaticFilesStorage"},
}

# The browser: nothing from elsewhere, nothing inline, nothing kept

SECURE_CSP = {
    "default-src": [CSP.NONE],
    "script-src": [CSP.SELF],
    "style-src": [CSP.SELF],
    "img-src": [CSP.SELF],
    "font-src": [CSP.SELF],
    "connect-src": [CSP.SELF],
    "form-action": [CSP.SELF],
    "base-uri": [CSP.NONE],
    "frame-ancestors": [CSP.NONE],
    "object-src": [CSP.NONE],
}
PERMISSIONS_POLICY: dict[str, list[str]] = {
    feature: []
    for feature in (
        "browsing-topics",
        "camera",
        "display-capture",
        "geolocation",
        "microphone",
        "payment",
        "publickey-credentials-get",
        "screen-wake-lock",
        "usb",
    )
}
SECURE_HSTS_SECONDS = 0 if DEBUG_HTTP else 2 * 365 * 24 * 60 * 60
SECURE_HSTS_INCLUDE_SUBDOMAINS = True
SECURE_HSTS_PRELOAD = True
# gunicorn, not Django, decides whether the proxy in front is trusted (FORWARDED_ALLOW_IPS).
SECURE_SSL_REDIRECT = not DEBUG_HTTP
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$"]
# Not no-referrer: with it browsers post with "Origin: null", which the CSRF check refuses. Other
# origins learn as little.
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"

# The __Host- prefix makes the browser refuse a cookie planted by a sibling domain or over HTTP.
prefix = "" if DEBUG_HTTP else "__Host-"
ASSESSMENT_COOKIE_NAME = f"{prefix}assessment"
TRIAL_COOKIE_NAME = f"{prefix}trial"
KIOSK_COOKIE_NAME = f"{prefix}kiosk"
CSRF_COOKIE_NAME = f"{prefix}csrf"
SESSION_COOKIE_NAME = f"{prefix}staff"
ASSESSMENT_COOKIE_SECURE = CSRF_COOKIE_SECURE = SESSION_COOKIE_SECURE = not DEBUG_HTTP
CSRF_COOKIE_HTTPONLY = SESSION_COOKIE_HTTPONLY = True
CSRF_COOKIE_SAMESITE = SESSION_COOKIE_SAMESITE = "Lax"
CSRF_FAILURE_VIEW = "triage.questionnaire.errors.csrf_failure"
CSRF_COOKIE_AGE = None  # ends with the browser: nothing stays on the device

# Staff: a password, then a code of a phone, which holds for this long

STAFF_HALF_WAY = timedelta(minutes=10)  # between the two
STAFF_IDLE = timedelta(minutes=15)
STAFF_SESSION = timedelta(hours=8)
STAFF_CONFIRMED = timedelta(minutes=5)  # until the password is asked for again before publishing
STAFF_LOCKED_OUT = timedelta(minutes=15)
SESSION_COOKIE_AGE = int(STAFF_SESSION.total_seconds())
SESSION_EXPIRE_AT_BROWSER_CLOSE = True  # the time is kept here, so that it can be said what ended
SESSION_SAVE_EVERY_REQUEST = False

OTP_TOTP_ISSUER = OPERATOR or "Symptom checker"
OTP_TOTP_SYNC = False  # half a minute either way, and it does not creep
OTP_ADMIN_HIDE_SENSITIVE_DATA = True

# Name and address together: a stranger who guesses must not shut out everybody behind one address.
AXES_FAILURE_LIMIT = 5
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_COOLOFF_TIME = STAFF_LOCKED_OUT
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False
AXES_RESET_ON_SUCCESS = True
AXES_CLIENT_IP_CALLABLE = "triage.staff.signing_in.address_of"
AXES_LOCKOUT_CALLABLE = "triage.staff.views.locked_out"
# It keeps addresses only while it counts wrong tries; triage.staff.security_log has none.
AXES_DISABLE_ACCESS_LOG = True
AXES_ENABLE_ACCESS_FAILURE_LOG = False
AXES_ENABLE_ADMIN = False
AXES_VERBOSE = False

# At home. Shorter than 20 hours would need a warning and a way to extend it (WCAG 2.2.1).
ASSESSMENT_LIFETIME = timedelta(hours=24)

# At a kiosk each terminal has its own times. What somebody hands over is kept until staff have taken
# it, so much longer for whoever opened it, and never longer than the first.
HANDOVER_LASTS = timedelta(hours=12)
HANDOVER_LINK_LASTS = timedelta(minutes=30)
HANDOVER_AFTER_OPENING = timedelta(minutes=30)
ALERT_AGAIN = timedelta(minutes=2)  # without an acknowledgement a red flag is raised anew
ALERT_STAYS = timedelta(minutes=15)  # after one, since who looks for the person needs their ticket
DESK_WATCHES = timedelta(seconds=30)  # since a screen of the desk last asked, or staff are not told

# A patient's post is a few hundred bytes; triage.middleware.LimitThePost holds it to 16 KB. These
# two are for the admin, whose form of one condition has some 1,200 fields.
DATA_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 5000
PATIENT_POST_MAX_BYTES = 16 * 1024
# A topic that staff bring in is some 2 MB. It is read from memory: nothing of it is left on a disk.
FILE_UPLOAD_HANDLERS = ["django.core.files.uploadhandler.MemoryFileUploadHandler"]
FILE_UPLOAD_MAX_MEMORY_SIZE = 9 * 1024 * 1024
STAFF_POST_MAX_BYTES = 10 * 1024 * 1024

# Logs: JSON on stdout, no answers, no addresses (triage.logs says what is left out)

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"json": {"()": "triage.logs.formatter"}},
    "handlers": {
        "stdout": {
            "class": "logging.StreamHandler",
            "stream": "ext://sys.stdout",
            "formatter": "json",
        },
    },
    "root": {"handlers": ["stdout"], "level": LOG_LEVEL},
    "loggers": {
        # Its own handlers would print the path, and e-mail the whole request to the admins.
        "django": {"handlers": [], "level": LOG_LEVEL, "propagate": True},
        "axes": {"level": "CRITICAL"},  # names browsers and paths; triage.staff.security_log logs
    },
}
LOGGING_CONFIG = "triage.logs.configure"
