"""This server in the configuration of a client: the block, where it belongs, put in and taken out again."""
