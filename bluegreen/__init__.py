"""bluegreen: blue-green releases for fleets of Envoy proxies, proven by what every proxy acknowledges."""

__version__ = "0.1.0"
