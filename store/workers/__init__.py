"""Worker processes and their queue: heartbeats, queue depth, pauses, load and throughput."""
