"""What `clipbench visualize` is to excite: units, layers, texts, labels; and a facet to lean towards."""

import argparse

import clipbench as cb
from clipbench.errors import ClipbenchError, unknown


def add_goals(parser: argparse.ArgumentParser) -> None:
    """Give a command UNIT…, --text, --label, --probe, --objective and --facet."""
    parser.add_argument(
        "targets",
        nargs="*",
        metavar="UNIT",
        help="layer:channel, layer:channel@row,column for one neuron, or a layer's name for all of it",
    )
    parser.add_argument(
        "--text", action="append", default=[], help="paint what resembles a text; may be given several times"
    )
    parser.add_argument(
        "--label", action="append", default=[], help="paint what is taken for a label; likewise"
    )
    parser.add_argument(
        "--probe",
        metavar="FILE",
        help="labels are those of a linear probe: its file, or a shipped one's name",
    )
    parser.add_argument(
        "--objective",
        choices=["channel", "neuron", "layer"],
        help="what to excite of each UNIT (default: as its address says); a neuron without a position is the "
        "one in the middle",
    )
    parser.add_argument(
        "--facet", metavar="NAME", help="lean towards a theme: the name of a shipped facet, or a facet's file"
    )


def goals_of(options: argparse.Namespace, model) -> list:
    """A goal for each unit, text and label, in this order."""
    from clipbench.optvis import Goal

    goals = [_of_target(options.objective, target, model) for target in options.targets]
    goals += [Goal(f"text {text}", cb.objectives.text(text)) for text in options.text]
    if options.probe is not None and not options.label:
        raise ClipbenchError("a probe has labels; name with --label what to paint")
    probe = None if options.probe is None else cb.load_probe(options.probe, model)
    goals += [Goal(f"label {label}", cb.objectives.label(label, probe=probe)) for label in options.label]
    if not goals:
        raise ClipbenchError(
            f"there is nothing to paint; give a unit, as in {model.last_layer}:0, --text, --label or --like"
        )
    if options.facet is None:
        return goals
    facet = _facet(options.facet, model)
    return [
        Goal(
            f"{goal.name} {facet.name}",
            cb.objectives.faceted(goal.objective, facet, options.strength),
            goal.unit,
        )
        for goal in goals
    ]


def _of_target(objective: str | None, target: str, model):
    from clipbench.optvis import Goal

    if objective == "layer" or (objective is None and ":" not in target):
        return Goal(target, cb.objectives.layer(target), target)
    unit = cb.Unit.parse(target, model)
    if objective == "channel" and unit.position:
        raise ClipbenchError(
            f"a channel has no position; write {unit.layer}:{unit.channel}, or leave --objective out"
        )
    if objective == "neuron" or unit.position:
        return Goal(str(unit), cb.objectives.neuron(unit.layer, unit.channel, unit.position), str(unit))
    return Goal(str(unit), cb.objectives.channel(unit.layer, unit.channel), str(unit))


def _facet(name: str, model):
    from clipbench.optvis.themes import absent_facets, shipped_facets

    if name.endswith(".npz"):
        return cb.probes.load_facet(name)
    shipped, absent = shipped_facets(model), absent_facets(model)
    if name in shipped:
        return shipped[name]
    if name in absent:
        raise ClipbenchError(f"there is no facet {name!r}: {absent[name]}")
    if not shipped:
        raise ClipbenchError(f"no facet is shipped for {model.name}; train one, and give its file (.npz)")
    raise unknown("facet", name, shipped)
