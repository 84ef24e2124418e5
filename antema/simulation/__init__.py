"""Micrographs whose truth is known: for teaching networks, for tests, and for the demonstration samples."""

from antema.simulation.camera import Camera
from antema.simulation.crop_files import simulate_crystallinity
from antema.simulation.demo import demo_files, write_demo
from antema.simulation.drawn import drawn_field
from antema.simulation.field import SimulatedField, field_contrast_to_noise, particle_contrast_to_noise
from antema.simulation.files import instance_pages, simulate_micrographs, write_field
from antema.simulation.optics import Optics
from antema.simulation.resolved import Batch, resolved_field
from antema.simulation.scenes import SCENES, scene_field
from antema.simulation.specimens import specimen_field
from antema.simulation.variety import KINDS, metal_field, varied_field

__all__ = [
    "KINDS",
    "SCENES",
    "Batch",
    "demo_files",
    "Camera",
    "Optics",
    "SimulatedField",
    "field_contrast_to_noise",
    "particle_contrast_to_noise",
    "drawn_field",
    "instance_pages",
    "metal_field",
    "resolved_field",
    "scene_field",
    "simulate_crystallinity",
    "simulate_micrographs",
    "specimen_field",
    "varied_field",
    "write_demo",
    "write_field",
]
