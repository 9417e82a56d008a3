"""A dossier of made-up numbers and pictures, for what holds of every page."""

import io

import numpy as np
from PIL import Image

import clipbench as cb
from clipbench.report import Dossier
from clipbench.report.part import Part


def drawn(seed: int, kind: str = "JPEG") -> bytes:
    file, rng = io.BytesIO(), np.random.default_rng(seed)
    Image.fromarray(rng.integers(0, 256, (8, 8, 3), dtype=np.uint8)).resize((112, 112)).save(file, kind)
    return file.getvalue()


def made_up(name: str = "spider", file: str = "photo.jpg") -> Dossier:
    """A dossier with every section; names that came from outside can be chosen."""
    told = cb.Provenance("mini", "0123456789ab", "made up", unit="conv_head:5", seed=0, n=40).as_dict()
    shown = [
        {"picture": f"photos/whole {number}", "name": file, "value": 3.5 - number} for number in range(3)
    ]
    edges = [
        {
            "unit": f"blocks.6:{number}",
            "effect": 1.0 - number,
            "picture": f"circuit/blocks.6:{number}",
            "kernel_picture": f"circuit/kernel blocks.6:{number}",
            "agreeing": {"hits": 7, "n": 8},
            "confirmed": number == 0,
        }
        for number in range(3)
    ]
    contents = {
        "photos": {
            "n": 12_345,
            "histogram": {"edges": [-1.0, 0.0, 1.0, 4.0], "counts": [3, 9, 1]},
            "mean": 0.2,
            "sd": 1.1,
            "buckets": [{"share": (0, 0.5), "examples": shown}, {"share": (0.5, 1), "examples": shown}],
            "top": shown,
            "provenance": told,
        },
        "words": {
            "n": 10_000,
            "look": "DejaVu Sans",
            "untaught": True,
            "changes": [{"look": "Lato", "correlation": 0.8, "interval": (0.7, 0.9)}],
            "most": [(f"{name} *", "9.1", 1.0)],
            "least": [("cat", "−2", -0.2)],
            "provenance": told,
        },
        "search": {
            "explained": "Three scores.",
            "scores": ["weights", "photos", "word"],
            "rows": [{"name": name, "places": [1, 2, 300], "votes": 2}],
            "first": 12.8,
            "provenance": told,
        },
        "pictures": {
            "plain": "pictures/plain",
            "faces": ["pictures/face 0"],
            "facets": [{"name": "indoor", "picture": "pictures/facet indoor"}],
            "reached": 31.4,
            "photos_reach": 12.8,
            "trust": ["keeps 60 % of its rise over grey"],
            "provenance": told,
        },
        "neighbours": {
            "kinds": [
                {
                    "name": "by photos",
                    "rows": [{"unit": "conv_head:7", "score": 0.5, "picture": "neighbours/conv_head:7"}],
                }
            ],
            "provenance": told,
        },
        "circuit": {
            "unit": "conv_head:5",
            "lower": "blocks.6",
            "photos": [0, 1],
            "mean_activation": 9.0,
            "picture": "circuit/unit",
            "edges": edges,
            "summary": "1 of 3 edges is confirmed",
            "provenance": told,
        },
        "effect": {
            "changed": {"hits": 3, "n": 16},
            "rows": [{"label": name, "before": 0.5, "after": 0.25, "fell": {"hits": 15, "n": 16}}],
            "provenance": told,
        },
        "multimodal": {
            "concept": name,
            "concepts": 42,
            "rows": [{"form": "photos", "sd": 2.5, "first": True, "n": 3}],
            "multimodal": False,
            "layer": "3 of 9 units are multimodal",
            "provenance": told,
        },
        "regions": {
            "asked": 120,
            "known": 175,
            "above": 9,
            "chance": 1.2,
            "top": [(name, "9.1", 1.0)],
            "picture": "regions/map",
            "provenance": told,
        },
        "feelings": {
            "words": 126,
            "codes": 2,
            "usual": 0.9,
            "rows": [(name, "1", 1.0), ("sad", "−0.2", -0.2)],
            "provenance": told,
        },
        "activation": {
            "labels": [
                {"name": name, "colour": "#D55E00", "n": 30, "recall": 0.9},
                {"name": "others", "colour": "#777", "n": 90, "recall": 0.1},
            ],
            "shown": 1,
            "folders": 200,
            "sds": [-2.0, 0.0, 2.0, 4.0],
            "totals": [60, 0, 60],
            "columns": [[0.0, 1.0], [0.0, 0.0], [0.5, 0.5]],
            "provenance": told,
        },
        "text": {
            "phrases": [(name, "0.4", 1.0)],
            "directions": [("of the", "0.1", 0.25)],
            "summary": ["It scores 0.400."],
            "provenance": told,
        },
    }
    named = {
        "photos": [each["picture"] for each in shown],
        "pictures": ["pictures/plain", "pictures/face 0", "pictures/facet indoor"],
        "neighbours": ["neighbours/conv_head:7"],
        "regions": ["regions/map"],
        "circuit": ["circuit/unit", *(edge[key] for edge in edges for key in ("picture", "kernel_picture"))],
    }
    parts = {
        section: Part(content, {picture: drawn(seed) for seed, picture in enumerate(named.get(section, ()))})
        for section, content in contents.items()
    }
    label = {"name": name, "told": "held out 0.8, chance 0.1"}
    return Dossier("conv_head:5", "mini", "0123456789ab", label, "40 photos", parts)
