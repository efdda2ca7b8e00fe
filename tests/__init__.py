"""Tests: unit, integration, end to end, the evaluation set, and benchmarks."""
