"""Small screens over others: help, and the question before an act."""
