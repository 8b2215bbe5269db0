"""`checkpoint-agent probe …`, one file a kind: print what is seen, return TOML to paste.

Ctrl-C ends the looking, not the answer.
"""
