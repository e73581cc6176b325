"""Putting this server into the configuration of a client, and taking it out again. Pure: text in, text out."""
