"""Requests in people's words, each with its trap, scored by what the provider saw and nothing else."""
