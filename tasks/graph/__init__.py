"""Client for Microsoft Graph. The only package with HTTP; called by workers only."""
