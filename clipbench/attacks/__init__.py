"""The typographic lab: texts on images, what they do to a classifier, and why."""

from clipbench.attacks.axes import AXES
from clipbench.attacks.curves import Curve, CurveProgress, robustness
from clipbench.attacks.defence import defend
from clipbench.attacks.defence_result import Defence, Held
from clipbench.attacks.explanation import UnitSay, Why, why
from clipbench.attacks.nine_texts import NineProgress, NineRow, NineTable, nine
from clipbench.attacks.published import NINE, Published
from clipbench.attacks.result import OUTCOMES, AttackResult
from clipbench.attacks.run import Case, Progress, attack, measure
from clipbench.attacks.search_result import SearchResult
from clipbench.attacks.stroop_effect import Stroop, stroop
from clipbench.attacks.text_search import METHODS, SearchProgress, attack_search, search
from clipbench.attacks.wild import WildPhoto, wild_photos
from clipbench.attacks.wild_table import (
    WildRow,
    WildTable,
    in_the_wild,
    look,
    on_paper,
    shipped_photos,
)

__all__ = [
    "AXES",
    "METHODS",
    "NINE",
    "OUTCOMES",
    "AttackResult",
    "Case",
    "Curve",
    "CurveProgress",
    "Defence",
    "Held",
    "NineProgress",
    "NineRow",
    "NineTable",
    "Progress",
    "Published",
    "SearchProgress",
    "SearchResult",
    "Stroop",
    "UnitSay",
    "Why",
    "WildPhoto",
    "WildRow",
    "WildTable",
    "attack",
    "attack_search",
    "defend",
    "in_the_wild",
    "look",
    "measure",
    "nine",
    "on_paper",
    "robustness",
    "search",
    "shipped_photos",
    "stroop",
    "why",
    "wild_photos",
]
