"""Instances that something else lists in a file."""
