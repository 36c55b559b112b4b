"""What an operator's tools see: metrics, health and logs."""
