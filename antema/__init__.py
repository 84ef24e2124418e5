"""Nanoparticles in transmission electron micrographs: read, segment, separate, measure, compare."""
