import json
import logging
import os
import sqlite3
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import structlog
from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory
from django.urls import resolve
from pytest_django import Settings

from triage import checks
from triage.logs import formatter
from triage.middleware import LimitThePost, close_the_page

PRODUCTION = {
    "SECRET_KEY": "a-key-of-more-than-fifty-characters-for-this-test-only-0123456789",
    "ALLOWED_HOSTS": "checker.example",
    "OPERATOR": "A clinic",
    "COMPLAINTS": "complaints@checker.example",
}


def manage(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a command in a process with this environment and no other setting."""
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=settings.BASE_DIR,
        env={"PATH": os.environ["PATH"], **environment},
        capture_output=True,
        text=True,
        check=False,
    )


@cache
def settings_with(environment: tuple[tuple[str, str], ...]) -> dict[str, Any]:
    code = (
        "import json; from triage import settings; "
        "print(json.dumps({k: v for k, v in vars(settings).items() if k.isupper()}, default=str))"
    )
    told = subprocess.run(
        [sys.executable, "-c", code],
        cwd=settings.BASE_DIR,
        env={"PATH": os.environ["PATH"], **dict(environment)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert told.returncode == 0, told.stderr
    found: dict[str, Any] = json.loads(told.stdout)
    return found


def setting(name: str, **environment: str) -> Any:
    """Return a setting as a process with this environment sees it."""
    return settings_with(tuple(sorted(environment.items())))[name]


@pytest.mark.parametrize("missing", sorted(PRODUCTION))
def test_production_does_not_start_without_a_setting_and_names_it(missing: str) -> None:
    rest = {name: value for name, value in PRODUCTION.items() if name != missing}

    refused = manage("check", **rest)

    assert refused.returncode == 1
    assert refused.stderr == (
        f"manage.py: Set these environment variables before starting: {missing}.\n"
    )


def test_everything_that_is_missing_is_named_at_once() -> None:
    refused = manage("check")

    assert "ALLOWED_HOSTS, COMPLAINTS, OPERATOR, SECRET_KEY." in refused.stderr


def test_a_locale_without_an_emergency_number_of_its_own_does_not_get_the_british_one() -> None:
    refused = manage("check", **PRODUCTION, LANGUAGE_CODE="en-au")

    assert refused.returncode == 1
    assert "EMERGENCY_NUMBER" in refused.stderr

    own = {
        "EMERGENCY_NUMBER": "000",
        "URGENT_ADVICE_LINE": "healthdirect",
        "EMERGENCY_DEPARTMENT": "the emergency department",
        "GP_SURGERY": "your doctor",
        "PHARMACIST": "a pharmacist",
        "CANCER_TEAM_LINE": "your cancer team",
    }
    assert setting("PLACEHOLDERS", **PRODUCTION, **own, LANGUAGE_CODE="en-au") == {
        "en": {name.lower(): value for name, value in own.items()}
    }


def test_a_deployment_speaks_its_own_language_only_until_it_names_others() -> None:
    assert setting("LANGUAGES", **PRODUCTION) == [["en-gb", "English"]]
    assert setting("LANGUAGES", **PRODUCTION, OTHER_LANGUAGES="es") == [
        ["en-gb", "English"],
        ["es", "Español"],
    ]


def test_the_emergency_number_is_that_of_the_country_in_every_language() -> None:
    names = setting("PLACEHOLDERS", **PRODUCTION, OTHER_LANGUAGES="es", EMERGENCY_NUMBER="112")

    assert {language: said["emergency_number"] for language, said in names.items()} == {
        "en": "112",
        "es": "112",
    }
    assert names["en"]["gp_surgery"] != names["es"]["gp_surgery"]


def test_a_language_whose_services_have_no_names_here_stops_the_start() -> None:
    american = {
        "EMERGENCY_NUMBER": "911",
        "URGENT_ADVICE_LINE": "the nurse line",
        "EMERGENCY_DEPARTMENT": "the emergency room",
        "GP_SURGERY": "your doctor",
        "PHARMACIST": "pharmacist",
        "CANCER_TEAM_LINE": "your cancer team",
    }

    refused = manage("check", **PRODUCTION, **american, LANGUAGE_CODE="en-us", OTHER_LANGUAGES="es")

    assert refused.returncode == 1
    assert "GP_SURGERY_ES" in refused.stderr
    assert "EMERGENCY_NUMBER" not in refused.stderr


def test_a_language_without_an_interface_stops_the_start() -> None:
    refused = manage("check", **PRODUCTION, OTHER_LANGUAGES="es,tlh")

    assert refused.returncode == 1
    assert "There is no interface in tlh; there are: en, es." in refused.stderr


def test_a_secret_can_stay_in_a_file(tmp_path: Path) -> None:
    key = tmp_path / "key"
    key.write_text("from-the-file")
    rest = {name: value for name, value in PRODUCTION.items() if name != "SECRET_KEY"}

    assert setting("SECRET_KEY", **rest, SECRET_KEY_FILE=str(key)) == "from-the-file"


def test_the_system_check_for_deployment_is_clean() -> None:
    checked = manage(
        "check",
        "--deploy",
        "--fail-level",
        "WARNING",
        **PRODUCTION,
        SQLITE_WAL_RISK_ACCEPTED="1",
    )

    assert checked.returncode == 0, checked.stderr


@pytest.mark.parametrize(
    ("name", "plain"),
    [
        ("ASSESSMENT_COOKIE_NAME", "assessment"),
        ("CSRF_COOKIE_NAME", "csrf"),
        ("SESSION_COOKIE_NAME", "staff"),
    ],
)
def test_cookies_are_bound_to_this_host_and_to_tls_unless_for_a_demonstration(
    name: str, plain: str
) -> None:
    secure = name.replace("NAME", "SECURE")

    assert setting(name, **PRODUCTION) == f"__Host-{plain}"
    assert setting(secure, **PRODUCTION) is True
    assert setting(name, DEBUG_HTTP="1") == plain
    assert setting(secure, DEBUG_HTTP="1") is False


def test_production_sends_plain_http_to_tls_except_for_the_health_checks() -> None:
    assert setting("SECURE_SSL_REDIRECT", **PRODUCTION) is True
    assert setting("SECURE_HSTS_SECONDS", **PRODUCTION) >= 2 * 365 * 24 * 60 * 60
    assert setting("SECURE_REDIRECT_EXEMPT", **PRODUCTION) == ["^healthz$", "^readyz$"]


def test_no_environment_turns_on_the_debug_pages() -> None:
    assert setting("DEBUG", DEBUG_HTTP="1", DEBUG="1") is False


def test_blas_gets_one_thread_before_numpy_is_imported() -> None:
    code = "from triage import settings; import os; print(os.environ['OPENBLAS_NUM_THREADS'])"
    told = subprocess.run(
        [sys.executable, "-c", code],
        cwd=settings.BASE_DIR,
        env={"PATH": os.environ["PATH"], "DEBUG_HTTP": "1"},
        capture_output=True,
        text=True,
        check=True,
    )

    assert told.stdout == "1\n"


def test_a_postgres_address_is_taken_apart() -> None:
    database = setting(
        "DATABASES",
        **PRODUCTION,
        DATABASE_URL="postgresql://app:p%40ss@db.example:5433/checker?sslmode=require",
    )["default"]

    assert database["ENGINE"] == "django.db.backends.postgresql"
    assert [database[key] for key in ("NAME", "USER", "PASSWORD", "HOST", "PORT")] == [
        "checker",
        "app",
        "p@ss",
        "db.example",
        "5433",
    ]
    assert database["OPTIONS"]["sslmode"] == "require"
    for limit in ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout"):
        assert limit in database["OPTIONS"]["options"]


def test_an_address_of_another_database_is_refused() -> None:
    refused = manage("check", **PRODUCTION, DATABASE_URL="mysql://db.example/checker")

    assert refused.stderr == (
        "manage.py: DATABASE_URL must start with postgresql:// or sqlite:///.\n"
    )


def test_a_path_of_a_sqlite_file_is_absolute_with_four_slashes() -> None:
    def path(url: str) -> Any:
        return setting("DATABASES", **PRODUCTION, DATABASE_URL=url)["default"]["NAME"]

    assert path("sqlite:////srv/triage.sqlite3") == "/srv/triage.sqlite3"
    assert path("sqlite:///triage.sqlite3") == "triage.sqlite3"


@pytest.mark.django_db
def test_sqlite_keeps_what_it_acknowledged_and_overwrites_what_it_deleted() -> None:
    if connection.vendor != "sqlite":
        return  # PostgreSQL's part is test_postgres_gives_up_on_a_stuck_query

    def pragma(name: str) -> Any:
        with connection.cursor() as cursor:
            return cursor.execute(f"PRAGMA {name}").fetchone()[0]

    assert pragma("journal_mode") == "wal"
    assert pragma("synchronous") == 2  # FULL
    assert pragma("secure_delete") == 1
    assert pragma("foreign_keys") == 1
    assert pragma("busy_timeout") == 5000
    assert settings.DATABASES["default"]["OPTIONS"]["transaction_mode"] == "IMMEDIATE"
    assert settings.DATABASES["default"]["CONN_MAX_AGE"] is None


@pytest.mark.django_db
def test_postgres_gives_up_on_a_stuck_query() -> None:
    if connection.vendor != "postgresql":
        return  # SQLite's part is the test above

    with connection.cursor() as cursor:
        cursor.execute("SHOW statement_timeout")
        assert cursor.fetchone() == ("5s",)
        cursor.execute("SHOW lock_timeout")
        assert cursor.fetchone() == ("3s",)


def test_no_request_opens_a_transaction_by_itself() -> None:
    assert not settings.DATABASES["default"].get("ATOMIC_REQUESTS")


@pytest.mark.parametrize(
    ("version", "accepted", "complains"),
    [((3, 40, 1), False, True), ((3, 40, 1), True, False), ((3, 51, 3), False, False)],
)
def test_a_sqlite_that_can_damage_its_file_is_named_before_deployment(
    version: tuple[int, int, int],
    accepted: bool,
    complains: bool,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sqlite3, "sqlite_version_info", version)
    settings.SQLITE_WAL_RISK_ACCEPTED = accepted
    monkeypatch.setitem(settings.DATABASES["default"], "ENGINE", "django.db.backends.sqlite3")

    found = [each.id for each in checks.sqlite_can_keep_what_it_acknowledged()]

    assert found == (["triage.E001"] if complains else [])


EVERYWHERE = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self';"
        " connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none';"
        " object-src 'none'"
    ),
    "Cross-Origin-Embedder-Policy": "require-corp",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/", 200),
        ("/staff/login/", 200),
        ("/no-such-page", 404),
        ("/check/begin", 405),
        ("/static/css/site.css", 200),
        ("/healthz", 200),
    ],
)
def test_every_response_is_shut_off_from_other_origins(
    client: Client, path: str, status: int
) -> None:
    response = client.get(path)
    response.close()

    assert response.status_code == status
    assert {name: response.headers.get(name) for name in EVERYWHERE} == EVERYWHERE
    assert "camera=()" in response.headers["Permissions-Policy"]


@pytest.mark.django_db
def test_no_page_stays_in_a_cache(client: Client) -> None:
    for path in ("/", "/no-such-page", "/staff/login/"):
        response = client.get(path)

        assert "no-store" in response.headers["Cache-Control"]
        assert {"HX-Request", "Cookie"} <= set(response.headers["Vary"].split(", "))


def test_a_page_that_says_no_store_by_itself_is_left_alone() -> None:
    def page(request: HttpRequest) -> HttpResponse:
        return HttpResponse(headers={"Cache-Control": "no-store"})

    assert close_the_page(page)(HttpRequest()).headers["Cache-Control"] == "no-store"


@pytest.mark.django_db
def test_a_page_is_compressed_and_padded(client: Client) -> None:
    lengths = {len(client.get("/", headers={"Accept-Encoding": "gzip"}).content) for _ in range(8)}

    assert max(lengths) < len(client.get("/").content) / 2
    assert len(lengths) > 1  # the length says nothing exact of what the page holds


def test_a_post_of_a_patient_is_refused_when_no_form_could_have_sent_it() -> None:
    def post(path: str, size: int) -> None:
        request = RequestFactory().post(path, "x" * size, content_type="text/plain")
        request.resolver_match = resolve(path)
        LimitThePost(lambda _: HttpResponse()).process_view(request)

    post("/check/1", 16 * 1024)
    with pytest.raises(RequestDataTooBig):
        post("/check/1", 16 * 1024 + 1)
    post("/staff/login/", 100 * 1024)


@pytest.mark.django_db
def test_a_post_that_is_too_big_gets_a_page_with_the_emergency_line(client: Client) -> None:
    response = client.post("/check/1", {"reply": "x" * 20_000})

    assert response.status_code == 400
    assert "999" in response.content.decode()


# The logs


def line(record: logging.LogRecord) -> dict[str, Any]:
    written: dict[str, Any] = json.loads(formatter().format(record))
    return written


def record_of(logger: str, message: str, *arguments: object) -> logging.LogRecord:
    return logging.LogRecord(logger, logging.WARNING, __file__, 1, message, arguments, None)


def test_a_log_line_of_django_names_no_path() -> None:
    record = record_of("django.request", "%s: %s", "Not Found", "/check/7?fever=yes")
    record.status_code = 404
    record.request = HttpRequest()

    written = line(record)

    assert written["event"] == "django.request"
    assert written["status"] == 404
    assert "check" not in json.dumps(written)


def test_an_exception_is_logged_by_class_and_place_and_never_by_what_it_says(
    caplog: pytest.LogCaptureFixture,
) -> None:
    record = record_of("triage.questionnaire", "failed")
    try:
        raise ValueError("Key (replies)=([fever, yes]) already exists")
    except ValueError as error:
        record.exc_info = sys.exc_info()
        structlog.get_logger("triage.questionnaire").exception("failed")
        structlog.get_logger("triage.questionnaire").error("failed", exc_info=error)

        lines = [line(each) for each in (record, *caplog.records)]

    assert len(lines) == 3
    for written in lines:
        assert written["exception"] == "builtins.ValueError"
        assert "test_settings.py" in written["frames"][0]
        assert "fever" not in json.dumps(written)


@pytest.mark.django_db
def test_a_request_leaves_one_line_without_path_address_or_cookie(
    client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    client.cookies["assessment"] = "canary-token"
    with caplog.at_level(logging.INFO):
        client.get("/?canary=fever", headers={"User-Agent": "canary-agent"})

    lines = [line(record) for record in caplog.records if record.name == "triage.request"]
    assert len(lines) == 1
    assert lines[0]["route"] == "questionnaire:start"
    assert lines[0]["status"] == 200
    assert len(lines[0]["request_id"]) == 16
    told = json.dumps([line(record) for record in caplog.records])
    assert "canary" not in told
    assert "127.0.0.1" not in told
