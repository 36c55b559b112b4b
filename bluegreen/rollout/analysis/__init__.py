"""Whether a version does well while it takes traffic: pure, from what the proxies report."""
