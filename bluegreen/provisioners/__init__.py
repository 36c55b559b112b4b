"""Where instances come from: local processes, a command of the user's own, a file that something else writes."""
