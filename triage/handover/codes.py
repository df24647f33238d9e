"""The two ways to what was handed over: a code that is read out, and a link that is scanned.

We keep the hash of either. The code is too short to be safe from somebody who has the hash; but who
reads our rows reads what was handed over beside it.
"""

import hashlib
import re
import secrets
from base64 import urlsafe_b64encode
from dataclasses import dataclass

from django.utils.crypto import salted_hmac

LETTERS = "23456789BCDFGHJKMNPQRSTVWXYZ"
"""None that is taken for another one, and no vowel, so that no code is a word."""

LENGTH = 6
LINK_BYTES = 18
BETWEEN = re.compile(r"[\W_]+")
LINK = re.compile(r"(?:^|/)([\w-]{24})$", re.ASCII)


@dataclass(frozen=True, slots=True)
class Codes:
    """`code` as it is shown, K7M-4QX: 28 to the power of 6. `link`: 144 bits, which no guess finds."""

    code: str
    link: str


def make_codes(*seed: object) -> Codes:
    """Return the codes that follow from this, for nobody who lacks the key of this server.

    The same seed gives the same codes: a form that is sent twice must not void what is on the screen.
    """
    mac = salted_hmac(__name__, repr(seed), algorithm="sha256").digest()
    number = int.from_bytes(mac[LINK_BYTES:])
    letters = []
    for _ in range(LENGTH):
        number, place = divmod(number, len(LETTERS))
        letters.append(LETTERS[place])
    code = "".join(letters)
    return Codes(f"{code[:3]}-{code[3:]}", urlsafe_b64encode(mac[:LINK_BYTES]).decode())


def new_seed() -> str:
    return secrets.token_urlsafe(24)


def typed(code: str) -> str:
    """Return a code as it is stored, however somebody types it; empty if it can be none."""
    plain = BETWEEN.sub("", code).upper()
    fits = len(plain) == LENGTH and set(plain) <= set(LETTERS)
    return plain if fits else ""


def scanned(text: str) -> str:
    """Return the link in what a scanner has read, with the address before it or without; else
    nothing."""
    found = LINK.search(text.strip())
    return found[1] if found else ""


def hash_of(secret: str) -> str:
    return hashlib.sha256(secret.encode(errors="surrogatepass")).hexdigest()
