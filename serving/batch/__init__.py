"""The offline batch tagger behind ``zhuti tag``: files, folders and tables in, tables out, nothing lost.

inputs -> stream (units with their context) -> run (tags them) -> writers (shards), with a journal beside them.
"""
