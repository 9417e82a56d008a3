"""Panels for JupyterLab and Voilà: one file a panel, one shared state, one place for long work."""
