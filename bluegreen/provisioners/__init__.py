"""Where instances come from: local processes, a program of the user's, a file that something else writes."""
