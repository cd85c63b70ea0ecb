"""What tests share: real servers, fresh databases, waiting with a deadline."""
