"""The database room: tables, the lifecycle of runs, queries and rights. The only room with SQL; it imports no other room."""
