"""Static files as they are served: small, named for their content, compressed beforehand."""

from pathlib import PurePosixPath
from typing import Any

from django.core.files.base import ContentFile, File
from rcssmin import cssmin  # type: ignore[import-untyped] # none of these three has type hints
from rjsmin import jsmin  # type: ignore[import-untyped]
from whitenoise.storage import (  # type: ignore[import-untyped]
    CompressedManifestStaticFilesStorage,
)

OURS = ("css/", "js/")
"""What others wrote goes out as they wrote it."""


def without_comments(name: str, text: str) -> str:
    """Return a style sheet or a script without what only its readers need."""
    match PurePosixPath(name).suffix:
        case ".css":
            return str(cssmin(text))
        case ".js":
            return str(jsmin(text))
        case _:
            return text


class SmallStaticFilesStorage(CompressedManifestStaticFilesStorage):  # type: ignore[misc] # as above
    def _save(self, name: str, content: "File[Any]") -> str:
        if name.startswith(OURS):
            text = b"".join(content.chunks()).decode()  # from its start, wherever it was left
            content = ContentFile(without_comments(name, text).encode())
        return str(super()._save(name, content))
