"""Instances that a program of the user's own makes, counts and stops."""
