"""The domain: pure, immutable, without input or output."""
