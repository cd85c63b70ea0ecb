"""Finding runs: the filter language, its query plan, and the pages, counts and groups read with it."""
