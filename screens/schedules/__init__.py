"""The schedules of backups of a tenant: their list, their history, and the form that adds or changes one."""
