"""Gather the article's published records into the small files that the studies and the ledger read.

    git clone https://github.com/distillpub/post--multimodal
    python scripts/make_records.py post--multimodal

Needs git and node. Nothing is computed here but colours of maps, and those by the article's own code: they
are the truth that the figures are held against.
"""

import argparse
import gzip
import io
import json
import re
import subprocess
from pathlib import Path

import numpy as np

COMMIT = "48e435468932a86894a889afa7ea1125a97c525d"  # the last state that the article was given
RECORDS = Path(__file__).parents[1] / "clipbench" / "studies" / "records"
MODELS = {
    "contrastive_4x": "RN50x4",
    "contrastive_v2": "RN101",
    "contrastive_v1": "RN50 (A)",
    "contrastive_rn50": "RN50 (B)",
}
SHORT = {"4x": "RN50x4", "rn101": "RN101", "v1": "RN50 (A)", "rn50": "RN50 (B)"}
REGIONAL = "static/diagram-data/regional/"
CONDITIONAL = {  # unit -> file, the standard deviation that its page divides by, and what is wrong with it
    89: ("src/pages/people/handLabeledTrump/data.js", 2.19, ""),
    1317: (
        "src/pages/regions/regionalConditional/africa_1317.json",
        1.317,
        'the caption of figure 7 says that the unit responds most strongly to the word "Ghana"; that is unit '
        "1257, the figure is drawn from unit 1317, whose top words are zimbabwe, tanzania and uganda",
    ),
    1257: (
        "src/pages/regions/regionalConditional/africa_1257.json",
        1.317,
        "divided by the standard deviation of unit 1317; the label Non-African Symbol counts one image that "
        "lies in no bucket",
    ),
    2191: ("src/pages/emotions/mentalHealth/data.js", 1.477, ""),
}


AFRICA = {  # what the page of unit 1317 paints its labels with, in place of the record's colours
    "place name": "#e03400",
    "flags": "#ff5722",
    "ethnicity": "#ff7f50",
    "other regional": "#ffa77d",
    "foreign symbol": "#7acda3",
    "other": "#b2ebf2",
}


class Clone:
    """A clone of the article's repository, at `COMMIT`."""

    def __init__(self, folder: Path):
        self._folder = folder

    def read(self, path: str) -> bytes:
        """A file's content."""
        command = ["git", "-C", str(self._folder), "show", f"{COMMIT}:{path}"]
        return subprocess.run(command, capture_output=True, check=True).stdout

    def json(self, path: str):
        """A JSON file."""
        return json.loads(self.read(path))

    def array(self, path: str) -> np.ndarray:
        """A file of numpy's."""
        return np.load(io.BytesIO(self.read(path)))

    def module(self, path: str):
        """What a JavaScript file exports."""
        source = self.read(path).decode().replace("export default", "const exported =")
        return node(f"{source}\nconsole.log(JSON.stringify(exported))")


def node(source: str):
    """What a JavaScript program prints, as JSON."""
    run = subprocess.run(["node", "-"], input=source, capture_output=True, text=True, check=True)
    return json.loads(run.stdout)


def words(clone: Clone) -> dict:
    """The three words that each unit of RN50x4 answers to most, out of a block that is commented out."""
    source = clone.read("src/pages/emotions/semantic/neuronNames.js").decode()
    hidden, told = source[source.index("}") :], {}
    for unit, line in re.findall(r"^\s*(?://)?\s*(\d+): ['\"](.*)['\"],?$", hidden, re.MULTILINE):
        told[int(unit)] = line.split(", ")
    return {"model": "RN50x4", "layer": "layer4", "words": [told[unit] for unit in range(2560)]}


def region_names(clone: Clone) -> dict[tuple[str, int], tuple[str, str]]:
    """(model, unit) -> the authors' name and their warning, out of the figure's lists; the first counts."""
    source = clone.read("src/diagrams/RegionalNeurons.svelte").decode()
    pattern = r'\{"model": "(\w+)", "unit": +(\d+), "name": "([^"]*)" *(?:, "warn": "([^"]*)")? *\}'
    found: dict[tuple[str, int], tuple[str, str]] = {}
    for model, unit, name, warning in re.findall(pattern, source):
        found.setdefault((SHORT[model], int(unit)), (name, warning))
    return found


def regions(clone: Clone) -> tuple[dict, dict[str, np.ndarray]]:
    """The 66 region units: their maps, their words, the world, and the colours by the article's code."""
    arrays = {name: clone.array(f"{REGIONAL}{name}.npy") for name in ("spatial", "country", "city")}
    names = region_names(clone)
    units = [(MODELS[model], unit) for model, unit in clone.json(f"{REGIONAL}units.json")]
    component = clone.read("src/components/Map.svelte").decode()
    functions = component[component.index("function mean") : component.index("function get_acts")]
    several = mixes(arrays["country"])
    program = (
        f"{functions}\nconst bytes = [...Array(256).keys()];\n"
        "const shares = scale => bytes.map(v => acts2color([scale * v / 255.]));\n"
        f"const mixes = {json.dumps(several)}.map(unit => acts2color(unit.map(v => v / 255.)));\n"
        "console.log(JSON.stringify({places: shares(1), map: shares(1.1), mixes}))"
    )
    colours = {name: [hsl(text) for text in told] for name, told in node(program).items()}
    geography = clone.json(f"{REGIONAL}geo.json")
    told = {
        "units": units,
        "names": [names.get(unit, ("", ""))[0] for unit in units],
        "warnings": [names.get(unit, ("", ""))[1] for unit in units],
        "words": clone.json(f"{REGIONAL}top_words.json"),
        "colours": colours,
        "mixes": several,
        "countries": [
            {"name": one["properties"]["name"], "rings": rings(one["geometry"])}
            for one in geography["countries"]
        ],
        "cities": [{"name": one["name"], "place": one["pos"]} for one in geography["cities"]],
    }
    return told, arrays


def mixes(country: np.ndarray) -> list[list[int]]:
    """What 2 to 7 units say to a country, drawn at random."""
    rng = np.random.default_rng(0)
    drawn = [(rng.choice(len(country), size, replace=False), column) for size in range(2, 8)
             for column in rng.choice(country.shape[1], 50, replace=False)]  # fmt: skip
    return [country[units, column].tolist() for units, column in drawn]


def hsl(text: str) -> list[float]:
    """Hue in degrees, saturation and lightness in percent, of a colour as style sheets write it."""
    return [round(float(number), 6) for number in re.findall(r"[-\d.e]+(?=[,%)])", text)[:3]]


def rings(geometry: dict) -> list:
    """The outer and inner outlines of a country, each a list of [longitude, latitude]."""
    shapes = geometry["coordinates"]
    return shapes if geometry["type"] == "Polygon" else [ring for shape in shapes for ring in shape]


def emotions(clone: Clone) -> dict:
    """Sparse codes at six sparsities, the units left out by hand, names of units, and the atlas."""
    folder = "src/pages/emotions/"
    names = clone.module(f"{folder}semantic/neuronNames.js")
    return {
        "codes": {
            **clone.module(f"{folder}semantic/allSparse.js"),
            "100": lowered(clone.module(f"{folder}semantic/sparsity100.js")),
            "1000": lowered(clone.module(f"{folder}semantic/sparsity1000.js")),
        },
        "text_units": sorted(set(clone.module(f"{folder}semantic/textNeurons.js"))),
        "names": {unit: name for unit, name in names.items()},
        "atlas": [
            {"word": one["name"], "row": one["x"], "column": one["y"], "factors": one["components"]}
            for one in clone.module(f"{folder}atlas/data.js")["grid"]
        ],
    }


def lowered(codes: dict) -> dict:
    """The same with the words in small letters, as the other records have them."""
    return {word.lower(): code for word, code in codes.items()}


def conditional(clone: Clone) -> dict:
    """The four conditional plots, and what unit 89 says to eleven people."""
    plots = {}
    for unit, (path, deviation, erratum) in CONDITIONAL.items():
        told = clone.json(path) if path.endswith(".json") else clone.module(path)
        plots[unit] = {**told, "sd": deviation, "erratum": erratum}
        if unit == 1317:
            plots[unit]["colors"] = [AFRICA[label] for label in told["labelNames"]]
    page = clone.read("src/pages/people/trumpPeople/index.js").decode()
    body = page[page.index("const { bars") : page.index("export default")].replace(
        "const {", "const told = {"
    )
    body = re.sub(r"const told = \{[^}]*\} = ", "const told = ", body)
    people = node(f"{body}\nconsole.log(JSON.stringify(told))")
    buckets = clone.module("src/pages/people/trumpPeople/data.js")
    return {
        "plots": plots,
        "people": {"unit": 89, "sd": 2.19, "names": people["labels"], "medians": people["bars"],
                   "deviations": people["stdDevs"]},
        "people_buckets": {"bins": buckets["bins"], "heights": buckets["heights"],
                           "names": [name.replace("Luthar King Jr.", "Luther King Jr")
                                     for name in buckets["labelNames"]]},
    }  # fmt: skip


def families(clone: Clone) -> dict:
    """The 118 units in 16 families."""
    source = clone.read("src/diagrams/NeuronFamilies.svelte").decode()
    body = source[source.index("let families") : source.index("</script>")]
    told = node(f"{body}\nconsole.log(JSON.stringify(families))")
    return {
        "families": [
            {
                "name": family["title"],
                "units": [[SHORT[one["model"]], one["unit"], one["title"]] for one in family["neurons"]],
            }
            for family in told
        ]
    }


def write(name: str, document: dict) -> None:
    """A record as gzipped JSON, the same bytes each time."""
    content = json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()
    path = RECORDS / f"{name}.json.gz"
    path.write_bytes(gzip.compress(content, mtime=0))
    print(path.name, path.stat().st_size)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("clone", type=Path, help="folder of the clone")
    clone = Clone(parser.parse_args().clone)
    RECORDS.mkdir(exist_ok=True)
    told, arrays = regions(clone)
    write("regions", told)
    np.savez_compressed(RECORDS / "regions.npz", **arrays)
    for name, make in {"words": words, "emotions": emotions, "conditional": conditional}.items():
        write(name, make(clone))
    write("families", families(clone))


if __name__ == "__main__":
    main()
