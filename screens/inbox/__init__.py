"""The inbox: notifications about the user's own runs."""
