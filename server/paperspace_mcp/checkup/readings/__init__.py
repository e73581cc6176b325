"""What the provider's reference leaves open, read from what its API answers to a few GETs.

`gets` and `questions` are tables: what is sent, and which pure function makes a reading of the answers. `asking` is
the only part that touches the world, through a probe that can send nothing but GETs. No text of an answer gets into a
report but the provider's own words (field names, states, codes); of everything else there are forms and counts.
"""
