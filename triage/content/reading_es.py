"""How easy a Spanish text is to read: its perspicuity by Szigriszt, as health texts are judged by."""

import re
import unicodedata
from itertools import pairwise

from .reading import sentences_of, words_of

_SILENT = re.compile(r"(?<=[qg])u(?=[eiéí])|h")  # que, guiar, ahora; not pingüino
_VOWELS = re.compile(r"[aeiouáéíóúü]+")
_STRONG, _STRESSED_WEAK = "aeoáéó", "íú"


def perspicuity_of(text: str) -> float:
    """Return how easy a text is: 55 and more is normal, 65 and more easy; 100 if it has no words.

    Source: Szigriszt Pazos F, thesis, Complutense University of Madrid, 1993; the scale is INFLESZ:
            Barrio-Cantalejo IM and others, An Sist Sanit Navar 2008;31:135-152.
    """
    words = words_of(text)
    if not words:
        return 100.0
    spoken = sum(map(syllables, words))
    return 206.835 - 62.3 * spoken / len(words) - len(words) / len(sentences_of(text))


def syllables(word: str) -> int:
    """Return how many syllables a word has by the rules of spelling, which decide it in Spanish.

    A number in digits counts as one, as it is read at a glance.
    """
    spelt = _SILENT.sub("", unicodedata.normalize("NFC", word.lower()))
    spelt = re.sub(r"y$", "i", spelt)  # muy; not ya
    return max(1, sum(_in_group(match[0]) for match in _VOWELS.finditer(spelt)))


def _in_group(vowels: str) -> int:
    """Return the syllables of vowels that stand together: ai is one, ae and aí are two."""
    apart = 0
    for one, two in pairwise(vowels):
        both_strong = one in _STRONG and two in _STRONG
        apart += both_strong or one in _STRESSED_WEAK or two in _STRESSED_WEAK or one == two
    return 1 + apart
