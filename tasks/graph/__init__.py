"""Microsoft Graph: the only place with HTTP. Called by workers alone."""
