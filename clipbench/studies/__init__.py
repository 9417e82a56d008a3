"""Studies: what units answer to, as results that can be drawn and saved."""

from clipbench.studies.maps import Maps, maps

__all__ = ["Maps", "maps"]
