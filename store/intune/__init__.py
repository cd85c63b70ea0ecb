"""Data that operations have read from Microsoft Intune."""
