"""The data model: tables, column types, and the frozen records that rows are mapped to."""
