"""`bluegreen demo`: a whole release on one machine, with real Envoys under real load."""

from bluegreen.app.demo.run import DemoOptions, run

__all__ = ["DemoOptions", "run"]
