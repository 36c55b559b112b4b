"""`bluegreen demo`: a whole release on one machine, with real Envoys under real load."""
