"""Text that a stranger wrote, made fit to be shown beside ours."""

import unicodedata
from dataclasses import dataclass

_DROPPED = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_FILLERS = frozenset("\u115f\u1160\u3164\uffa0\u2800\u034f\u17b4\u17b5\u180b\u180c\u180d\u180e\u180f")
_VARIATION = (range(0xFE00, 0xFE10), range(0xE0100, 0xE01F0))

NAME_CAP = 128
ERROR_CAP = 512
_SPEAKING = frozenset(':;"')
_PRINTABLE_ASCII = range(0x20, 0x7F)


@dataclass(frozen=True, slots=True)
class Cleaned:
    """`removed` counts the characters that were dropped or cut off."""

    text: str
    removed: int = 0


def invisible(character: str) -> bool:
    """Whether a character shows nothing, reorders its neighbours, or is not assigned."""
    code = ord(character)
    if character in _FILLERS or any(code in block for block in _VARIATION):
        return True
    return unicodedata.category(character) in _DROPPED


def clean(text: str, cap: int = NAME_CAP) -> Cleaned:
    """One line of visible NFC text of at most `cap` characters. White space of every kind becomes a space."""
    if text.isascii() and text.isprintable() and len(text) <= cap and text == " ".join(text.split()):
        return Cleaned(text)  # nearly every name; the slow way costs a look at each character
    head = text[: cap * 8]  # normalising megabytes of a hostile name is work done for nobody
    spaced = "".join(" " if character in "\t\n\r\v\f\x85" else character for character in head)
    kept = "".join(character for character in spaced if not invisible(character))
    line = unicodedata.normalize("NFC", kept)
    shown = " ".join(line.split())[:cap]
    return Cleaned(shown, len(text) - len(shown) if shown != text else 0)


def plain(text: str) -> bool:
    """Whether a person can type the text as it is seen, and it cannot be read as part of the question.

    Printable ASCII, no space at either end nor two together, not too long, and without what ends a sentence's part:
    a name such as `x; type: yes` would give an instruction of its own.
    """
    sane = text == " ".join(text.split()) and len(text) <= NAME_CAP and not _SPEAKING & set(text)
    return bool(text) and sane and all(ord(character) in _PRINTABLE_ASCII for character in text)


def quoted(text: str, cap: int = NAME_CAP) -> str:
    """The text between double quotes on one line; quotes inside cannot end it."""
    return '"' + clean(text, cap).text.replace("\\", "\\\\").replace('"', '\\"') + '"'
