"""What is true: tables, lifecycle, queries, rights. The only place with SQL. Imports none of the other rooms."""
