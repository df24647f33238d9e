"""Our templates as they are sent: without the indentation, which is for those who edit them."""

import re

from django.template import Origin
from django.template.loaders.filesystem import Loader


class Unindented(Loader):
    """Takes off a twentieth of what a page weighs. Lines stay, so that errors name the right one."""

    def get_contents(self, origin: Origin) -> str:
        return re.sub(r"^[ \t]+", "", super().get_contents(origin), flags=re.MULTILINE)
