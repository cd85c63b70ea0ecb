"""Single wrong changes to the rules that matter most, each of which a named test must notice."""
