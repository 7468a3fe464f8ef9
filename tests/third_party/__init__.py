"""Packages of others, as nbflow meets them: `tests/plugins/test_third_party.py` installs them and runs their tests."""
