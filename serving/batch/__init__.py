"""The offline batch tagger behind ``zhuti tag``: files, folders and tables in, tables out, nothing lost.

inputs -> stream (sentences) -> window (chunks with context) -> job (tags them) -> direct or shards (writes them, with a journal).
"""
