"""Keeps these packages' own tests apart from those of nbflow: they want their package installed."""

collect_ignore_glob = ["*/tests/*"]
