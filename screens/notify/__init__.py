"""What is told without having been asked for: toasts, the terminal's title and notifications."""
