"""What is asked of the world outside: instances through the proxies, commands, webhooks, Prometheus."""
