"""A text in the letters of other scripts, one for one: it sounds alike and looks different."""

from string import ascii_lowercase

_GREEK = "αβκδεφγχιικλμνοπκρστυβωξυζ"
_CYRILLIC = "абцдефгхийклмнопкрстуввхыз"

# Script -> what becomes of each letter; whatever is no Latin letter stays.
SCRIPTS = {
    "Latin": {},
    "Latin capitals": str.maketrans(ascii_lowercase, ascii_lowercase.upper()),
    "Greek": str.maketrans(ascii_lowercase + ascii_lowercase.upper(), _GREEK + _GREEK.upper()),
    "Cyrillic": str.maketrans(ascii_lowercase + ascii_lowercase.upper(), _CYRILLIC + _CYRILLIC.upper()),
}
