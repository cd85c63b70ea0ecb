"""Worker processes and their queue: who lives, what waits, and how busy they are."""
