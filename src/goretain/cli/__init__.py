"""The command line: reads arguments, calls the api, chooses a report. Computes nothing."""
