"""A simulated mall whose truth is known: ``simulate`` writes it, ``Truth`` reads what is true of it."""

from features.simulator.simulate import Mall, simulate
from features.simulator.truth import Truth, true_affinity
from features.simulator.world import HORIZONS, World, make_world

__all__ = ["HORIZONS", "Mall", "Truth", "World", "make_world", "simulate", "true_affinity"]
