"""`clipbench multimodal`: which units answer to a thing in photos, in drawings and in writing."""

import argparse
import sys

import clipbench as cb
from clipbench.cli.options import add_common, whole
from clipbench.cli.output import progress, write_json, write_table
from clipbench.errors import ClipbenchError

_CONTROL = "timm/tf_efficientnet_lite0"
_ALL = sys.maxsize  # images of a concept that count


def add(commands) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "multimodal",
        help="find the units that answer to photos, drawings and words alike",
        description="Find the units of a layer that answer to a thing in photos, in drawings and in writing, "
        "with the concepts that are shipped, and count how many would do so by chance. Named units are shown "
        "whether they do or not, each with the unit of the control that is nearest to it.",
    )
    parser.add_argument("units", nargs="*", metavar="UNIT", help="layer:channel, all of one layer")
    parser.add_argument("--layer", metavar="NAME", help="default: that of UNIT, or the last one with a map")
    parser.add_argument("--draws", type=whole, default=1000, metavar="N", help="shufflings (default: 1000)")
    parser.add_argument("--seed", type=whole, default=0, metavar="N", help="of the shufflings (default: 0)")
    add_common(parser)
    parser.set_defaults(run=multimodal)


def multimodal(options: argparse.Namespace) -> int:
    """Measure, and tell the counts and the units."""
    model = cb.load(options.model, device=options.device)
    units = [cb.Unit.parse(unit, model) for unit in options.units]
    layer = _layer(options.layer, units, model)
    concepts = cb.concepts()
    result = _measured(model, concepts, layer, options)
    columns = _columns(result, concepts, [unit.channel for unit in units], options)
    rows = [_row(column) for column in columns]
    if options.json:
        low, high = result.usual
        counts = {"multimodal": result.count, "units": result.activations.shape[1], "concepts": len(concepts)}
        chance = {"mean": result.chance[0], "low": low, "high": high}
        document = {"layer": layer, **counts, "chance": chance, "rows": rows}
        write_json({**document, "provenance": result.provenance.as_dict()})
        return 0
    if rows:
        write_table([*rows[0]], [[_cell(value) for value in row.values()] for row in rows])
        print("Numbers are standard deviations; * where the concept is among the unit's first two.\n")
    print(f"{result.summary}\n{result.provenance.caption()}")
    return 0


def _layer(asked: str | None, units: list, model) -> str:
    """The one layer that is asked for."""
    layers = dict.fromkeys([*([asked] if asked else []), *(unit.layer for unit in units)])
    if len(layers) > 1:
        raise ClipbenchError(f"one layer is measured at a time, not {' and '.join(layers)}; ask twice")
    return next(iter(layers), model.last_layer)


def _measured(model, concepts: list, layer: str, options: argparse.Namespace):
    from clipbench.studies import measure

    stream = measure(model, concepts, layer, draws=options.draws, seed=options.seed)
    return [*progress(stream, None, " batches")][-1].result


def _columns(result, concepts: list, units: list[int], options: argparse.Namespace) -> list:
    """The multimodal units, the clearest first, or the named ones, each followed by the control's nearest."""
    from clipbench.studies import column, table

    if not units or options.model == _CONTROL:
        return [column(result, concepts, unit, result.best(unit), _ALL) for unit in units or result.ranked]
    network = cb.load(_CONTROL, device=options.device)
    layer = result.layer if result.layer in {*network.layers, *network.heads} else network.last_layer
    control = _measured(network, concepts, layer, options)
    return [each for unit in units for each in table(result, control, concepts, unit, unit, _ALL)[:2]]


def _row(column) -> dict:
    """A unit and its concept: by modality, mean activation and whether the concept is among its first two."""
    from clipbench.stimuli import MODALITIES

    told = {
        modality: {"sd": sum(cell.sds) / len(cell.sds), "first_two": cell.ticked}
        for modality, cell in zip(MODALITIES, column.cells, strict=True)
    }
    named = {"model": column.provenance.model, "unit": column.provenance.unit, "concept": column.concept}
    return {**named, **told, "multimodal": all(cell.ticked for cell in column.cells)}


def _cell(value: object) -> str:
    if isinstance(value, dict):
        return f"{value['sd']:+.1f}{' *' if value['first_two'] else ''}"
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)
