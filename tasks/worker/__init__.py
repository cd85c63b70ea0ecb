"""The worker process: claims runs, carries them out, completes them, beats, and rescues the runs of lost workers."""
