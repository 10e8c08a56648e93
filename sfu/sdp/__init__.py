"""Session descriptions: text to types (`parse`), policy (`profile`, `plan`), types to text (`answer`, `write`).

Pure functions over frozen values. Imports nothing else of the project, so that it can be fuzzed and read alone.
"""
