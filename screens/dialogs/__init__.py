"""Small dialogs above other screens: help and confirmation."""
