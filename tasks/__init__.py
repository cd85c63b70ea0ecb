"""What does the work: the queue, dispatch, the worker, the operations, the Graph client. Uses `store` and nothing above."""
