"""What is served of our style sheets and scripts: all that they do, and nothing else."""

import json
import re
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import call_command
from django.test import override_settings

from triage.static_files import without_comments

SOURCES = [
    path.relative_to(settings.BASE_DIR / "static")
    for path in sorted((settings.BASE_DIR / "static").rglob("*.*"))
]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that `collectstatic` fills with the storage of a deployment."""
    folder = tmp_path_factory.mktemp("static")
    storages = settings.STORAGES | {
        "staticfiles": {"BACKEND": "triage.static_files.SmallStaticFilesStorage"}
    }
    with override_settings(STORAGES=storages, STATIC_ROOT=folder):
        call_command("collectstatic", verbosity=0, interactive=False)
    return folder


@pytest.mark.parametrize("source", SOURCES, ids=str)
def test_what_is_served_is_the_source_without_its_comments(source: Path, served: Path) -> None:
    names = json.loads((served / "staticfiles.json").read_text())["paths"]
    text = (settings.BASE_DIR / "static" / source).read_text()

    sent = (served / names[str(source)]).read_text()

    assert len(sent) > len(text) / 2
    assert "/*" not in sent
    for original, named in names.items():
        sent = sent.replace(Path(named).name, Path(original).name)
    sent = re.sub(r'url\("(.*?)"\)', r"url(\1)", sent)
    assert sent == without_comments(str(source), text)


def test_what_others_wrote_is_served_as_they_wrote_it(served: Path) -> None:
    names = json.loads((served / "staticfiles.json").read_text())["paths"]

    assert "/*" in (served / names["admin/css/base.css"]).read_text()


def test_a_style_sheet_keeps_the_spaces_that_mean_something() -> None:
    text = "/* why */\na:not(:focus) b { width: calc(1rem + 2px); grid-column: 1 / -1 }\n"

    assert without_comments("css/site.css", text) == (
        "a:not(:focus) b{width:calc(1rem + 2px);grid-column:1 / -1}"
    )


def test_a_script_keeps_its_strings_and_its_line_ends_where_they_count() -> None:
    text = 'const one = 1 // why\nconst two = `${one}  //  ${one}`\nlet three = "/* no */"\n'

    assert without_comments("js/site.js", text) == (
        'const one=1\nconst two=`${one}  //  ${one}`\nlet three="/* no */"'
    )
