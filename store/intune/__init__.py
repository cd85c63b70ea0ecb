"""What tenant operations have read from Microsoft Intune."""
